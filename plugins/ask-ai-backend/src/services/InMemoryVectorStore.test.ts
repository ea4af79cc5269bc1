import { describeRandomInputs, describeVectorStore } from 'backstage-plugin-ask-ai-node/testUtils';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors';
import { InMemoryVectorStore } from './InMemoryVectorStore';

const setup = {
  create: (options: { dimensions: number }) => InMemoryVectorStore.create(options),
};

describeVectorStore('InMemoryVectorStore', setup, { describe, it });
describeRandomInputs('InMemoryVectorStore', setup, { describe, it });

describe('InMemoryVectorStore', () => {
  it('finds exactly the nearest, ties by chunk id, after any writes and removals (200 cases)', async () => {
    // Few directions, so that there are many ties.
    const vector = fc
      .array(fc.integer({ min: -1, max: 1 }), { minLength: 3, maxLength: 3 })
      .filter(numbers => numbers.some(number => number !== 0));
    const write = fc.record({
      id: fc.integer({ min: 0, max: 30 }).map(number => `c${number}`),
      vector,
      entityId: fc.constantFrom('api:default/a', 'component:default/b'),
      removes: fc.integer({ min: 0, max: 19 }).map(number => number === 0),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { maxLength: 60 }),
        vector,
        fc.integer({ min: 1, max: 40 }),
        async (writes, query, topK) => {
          const store = InMemoryVectorStore.create({ dimensions: 3 });
          const expected = new Map<string, { vector: number[]; entityId: string }>();
          for (const { id, removes, ...chunk } of writes) {
            if (removes) {
              await store.clear(chunk.entityId);
              for (const [other, { entityId }] of expected) {
                if (entityId === chunk.entityId) {
                  expected.delete(other);
                }
              }
            } else {
              await store.store(embedding(id, chunk.vector, chunk.entityId));
              expected.set(id, chunk);
            }
          }
          const byHand = [...expected]
            .map(([id, chunk]) => ({ id, similarity: cosine(chunk.vector, query) }))
            .sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1))
            .slice(0, topK);
          const hits = await store.search(query, topK);
          expect(hits.map(({ documentChunk }) => documentChunk.id)).toEqual(
            byHand.map(({ id }) => id),
          );
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  it('has 384 dimensions unless told otherwise, and refuses what is no count', () => {
    expect(InMemoryVectorStore.create().dimensions).toBe(384);
    for (const dimensions of [0, -1, 1.5, Number.NaN]) {
      expect(() => InMemoryVectorStore.create({ dimensions })).toThrow(ConfigurationError);
    }
  });

  it('tells whoever starts it that nothing outlives the process', () => {
    const messages: string[] = [];
    InMemoryVectorStore.create({ logger: { info: message => messages.push(message) } });
    expect(messages).toEqual(['Vector store: memory. What is indexed is gone after a restart.']);
  });
});

function embedding(id: string, vector: number[], entityId: string) {
  const metadata = { source: 'catalog' as const, chunkIndex: 0, totalChunks: 1 };
  const documentChunk = { id, entityId, entityName: 'E', content: id, metadata };
  return { id, chunkId: id, vector, documentChunk };
}

/** Rounded, so that equal angles are equal however long the vectors are. */
function cosine(a: number[], b: number[]): number {
  const product = a.reduce((sum, element, index) => sum + element * (b[index] ?? 0), 0);
  return Math.round((product / (Math.hypot(...a) * Math.hypot(...b))) * 1e9) / 1e9;
}
