import { setImmediate } from 'node:timers/promises';
import { describeRandomInputs, describeVectorStore } from 'backstage-plugin-ask-ai-node/testUtils';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, ConflictError, VectorStoreUnavailableError } from '../errors';
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

  it('lets others have their turn while a stream is written that waits for nothing', async () => {
    const store = InMemoryVectorStore.create({ dimensions: 3 });
    const embeddings = Array.from({ length: 1_000 }, (_, index) =>
      embedding(`c${index}`, [1, 2, 3], 'api:default/a'),
    );
    const counts: number[] = [];
    const load = store.storeAll(embeddings);
    for (let turn = 0; turn < 3; turn++) {
      await setImmediate();
      counts.push(await store.count());
    }
    await load;
    expect(counts.some(count => count > 0 && count < 1_000)).toBe(true);
  });

  it('takes no other embedding space while a load goes on, since its vectors are of the present one', async () => {
    const store = InMemoryVectorStore.create({ dimensions: 3 });
    const space = { provider: 'p', model: 'm', dimensions: 3, chunkerVersion: 1 };
    await store.useEmbeddingSpace(space);
    async function* stream() {
      yield embedding('a', [1, 2, 3], 'api:default/a');
      await expect(store.useEmbeddingSpace({ ...space, model: 'other' })).rejects.toThrow(
        ConflictError,
      );
      await expect(store.useEmbeddingSpace({ ...space, dimensions: 4 })).rejects.toThrow(
        ConflictError,
      );
      await store.useEmbeddingSpace({ ...space, chunkerVersion: 2 });
      yield embedding('b', [1, 2, 3], 'api:default/a');
    }
    await store.replaceAll(stream());
    expect(await store.count()).toBe(2);
    expect(await store.embeddingSpace()).toEqual({ ...space, chunkerVersion: 2 });
  });

  it('ends a load whose stream gives nothing any more when it is closed', async () => {
    const store = InMemoryVectorStore.create({ dimensions: 3 });
    async function* stream() {
      yield embedding('a', [1, 2, 3], 'api:default/a');
      await store.close();
      await new Promise<never>(() => {});
    }
    await expect(store.replaceAll(stream())).rejects.toThrow(VectorStoreUnavailableError);
  });

  it('keeps the records of documents without chunks when it takes another space', async () => {
    const store = InMemoryVectorStore.create({ dimensions: 3 });
    const key = { entityId: 'api:default/a', source: 'catalog' as const };
    await store.replaceDocuments([{ ...key, fingerprint: '1', embedded: [], kept: [] }]);
    await store.useEmbeddingSpace({ provider: 'p', model: 'm', dimensions: 4, chunkerVersion: 1 });
    expect(await store.document(key)).toEqual({ ...key, fingerprint: '1', chunkCount: 0 });
  });

  it('compares with every vector, so there is no index to tell of', async () => {
    expect(await InMemoryVectorStore.create().vectorIndex()).toBeUndefined();
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
