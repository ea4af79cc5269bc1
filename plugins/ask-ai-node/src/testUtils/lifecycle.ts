import assert from 'node:assert/strict';
import type { IVectorStore } from '../vectorStore';
import { assertRejects, at, collect, PETSTORE, sample } from './samples';
import { DIMENSIONS, type Suite } from './suite';

const KEY = { entityId: PETSTORE, source: 'techdocs' as const };

/** One call of every method. */
const CALLS: Record<string, (store: IVectorStore) => Promise<unknown>> = {
  store: store => store.store(sample('a')),
  storeBatch: store => store.storeBatch([sample('a')]),
  storeAll: store => store.storeAll([sample('a')]),
  replaceAll: store => store.replaceAll([sample('a')]),
  search: store => store.search(at(0), 1),
  searchRanked: store => store.searchRanked({ mode: 'keyword', text: 'content', topK: 1 }),
  clear: store => store.clear(),
  'clear of an entity': store => store.clear(PETSTORE),
  count: store => store.count(),
  stats: store => store.stats(),
  embeddingSpace: store => store.embeddingSpace(),
  useEmbeddingSpace: store =>
    store.useEmbeddingSpace({
      provider: 'p',
      model: 'm',
      dimensions: DIMENSIONS,
      chunkerVersion: 1,
    }),
  changeEmbeddingSpace: store =>
    store.changeEmbeddingSpace(
      { provider: 'p', model: 'n', dimensions: DIMENSIONS, chunkerVersion: 1 },
      async chunks => chunks.map(() => undefined),
    ),
  vectorIndex: store => store.vectorIndex(),
  prepareForMany: store => store.prepareForMany(),
  refreshStatistics: store => store.refreshStatistics(),
  export: store => collect(store.export()),
  documents: store => collect(store.documents()),
  document: store => store.document(KEY),
  chunkIds: store => store.chunkIds(KEY),
  chunks: store => store.chunks(KEY, { from: 0, to: 1 }),
  replaceDocuments: store =>
    store.replaceDocuments([{ ...KEY, fingerprint: '1', embedded: [sample('a')], kept: [] }]),
  removeDocument: store => store.removeDocument(KEY),
};

export function describeLifecycle({ describe, test }: Suite): void {
  describe('lifecycle', () => {
    test('a store tells its dimensions', async store => {
      assert.equal(store.dimensions, DIMENSIONS);
    });

    test('every call works on an empty store', async store => {
      for (const call of Object.values(CALLS)) {
        await call(store);
      }
    });

    test('close may be called twice, also at the same time', async store => {
      await Promise.all([store.close(), store.close()]);
      await store.close();
    });

    test('after close every call rejects', async store => {
      await store.store(sample('a'));
      await store.close();
      for (const [what, call] of Object.entries(CALLS)) {
        await assertRejects(() => call(store), 'VectorStoreUnavailableError', {
          statusCode: 503,
          what,
        });
      }
    });
  });
}
