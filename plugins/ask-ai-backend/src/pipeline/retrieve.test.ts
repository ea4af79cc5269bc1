import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LexicalEmbeddingProvider } from '../providers/LexicalEmbeddingProvider';
import { InMemoryVectorStore } from '../services/InMemoryVectorStore';
import type { ReadableStore } from './authorisedStore';
import { type RetrieveRequest, retrieve } from './retrieve';

const PARTS = ['Before it.', 'Run authctl keys promote.', 'After it.', 'Something else.'];
const embeddingProvider = LexicalEmbeddingProvider.create();

describe('retrieve', () => {
  let store: InMemoryVectorStore;

  beforeEach(async () => {
    store = InMemoryVectorStore.create({ dimensions: 384 });
    const { vectors } = await embeddingProvider.embed(PARTS, { purpose: 'document' });
    await store.storeBatch(
      PARTS.map((content, chunkIndex) => ({
        id: `part-${chunkIndex}`,
        chunkId: `part-${chunkIndex}`,
        vector: vectors[chunkIndex] as Float32Array,
        documentChunk: {
          id: `part-${chunkIndex}`,
          entityId: 'component:default/auth',
          entityName: 'auth',
          content,
          metadata: { source: 'techdocs' as const, chunkIndex, totalChunks: PARTS.length },
        },
      })),
    );
  });

  afterEach(() => store.close());

  const find = (request: Partial<RetrieveRequest>, searched: ReadableStore = store) =>
    retrieve(
      { query: 'authctl keys promote', topK: 1, mode: 'hybrid', ...request },
      {
        store: searched,
        spaces: {
          forQuestions: async () => ({ provider: embeddingProvider, isEmpty: false }),
          forget: () => {},
        },
      },
    );

  it.each(['hybrid', 'vector', 'keyword'] as const)('finds the passage in mode %s', async mode => {
    const [hit] = await find({ mode });
    expect(hit?.documentChunk).toMatchObject({ id: 'part-1', content: PARTS[1] });
  });

  it('joins the chunks around a hit, which keeps its id', async () => {
    const [hit] = await find({ neighbours: 1 });
    expect(hit?.documentChunk).toMatchObject({
      id: 'part-1',
      content: [PARTS[0], PARTS[1], PARTS[2]].join('\n\n'),
    });
  });

  it.each([
    ['replaced', [{ id: 'new-0', content: 'Something new.' }]],
    ['removed', []],
  ])('keeps the text of a hit whose document was %s after the search', async (_, chunks) => {
    const changed: ReadableStore = {
      dimensions: store.dimensions,
      searchRanked: request => store.searchRanked(request),
      chunks: async () => chunks as DocumentChunk[],
    };
    const [hit] = await find({ neighbours: 1 }, changed);
    expect(hit?.documentChunk).toMatchObject({ id: 'part-1', content: PARTS[1] });
  });
});
