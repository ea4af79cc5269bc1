import { setImmediate } from 'node:timers/promises';
import { describeVectorStore } from 'backstage-plugin-ask-ai-node/testUtils';
import { describe, expect, it } from 'vitest';
import { CACHE_BOUNDS, CACHED_DOCUMENT, writeDocument } from '../testing/cachedDocument';
import { MemoryCache } from '../testing/MemoryCache';
import { CachedVectorStore, type CachedVectorStoreOptions } from './CachedVectorStore';
import { InMemoryVectorStore } from './InMemoryVectorStore';

const SPACE = { provider: 'test', model: 'small', dimensions: 3, chunkerVersion: 1 };

describeVectorStore(
  'CachedVectorStore',
  {
    create: options => CachedVectorStore.create(InMemoryVectorStore.create(options), CACHE_BOUNDS),
  },
  { describe, it },
);

/** Counts searches and holds them back until the test says so. */
class WatchedStore {
  searches = 0;
  hold: Promise<unknown> = Promise.resolve();
  readonly store = InMemoryVectorStore.create({ dimensions: 3 });

  constructor() {
    const search = this.store.search.bind(this.store);
    this.store.search = async (...query) => {
      this.searches += 1;
      const hits = await search(...query);
      await this.hold;
      return hits;
    };
  }
}

function open(watched: WatchedStore, options: Partial<CachedVectorStoreOptions> = {}) {
  return CachedVectorStore.create(watched.store, { ...CACHE_BOUNDS, ...options });
}

describe('CachedVectorStore', () => {
  it('makes one search of 100 equal ones at once, and none of later ones', async () => {
    const watched = new WatchedStore();
    const store = open(watched);
    await writeDocument(store, 'first');
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => store.search([1, 2, 3], 5)),
    );
    expect(watched.searches).toBe(1);
    for (const hits of [...answers, await store.search(Float32Array.of(1, 2, 3), 5)]) {
      expect(contents(hits)).toEqual(['first']);
    }
    expect(watched.searches).toBe(1);
    expect(store.figures).toEqual({
      localHits: 1,
      sharedHits: 0,
      joined: 99,
      misses: 1,
      bypassed: 0,
    });
  });

  it('gives everybody hits of their own, which may be changed', async () => {
    const store = open(new WatchedStore());
    await writeDocument(store, 'kept');
    const answers = await Promise.all([store.search([1, 2, 3], 5), store.search([1, 2, 3], 5)]);
    answers.push(await store.search([1, 2, 3], 5));
    for (const [hit] of answers) {
      expect(hit?.documentChunk.content).toBe('kept');
      if (hit) hit.documentChunk.content = 'changed';
    }
    expect(contents(await store.search([1, 2, 3], 5))).toEqual(['kept']);
  });

  it('tells apart everything that a search may be asked with', async () => {
    const watched = new WatchedStore();
    const store = open(watched);
    await writeDocument(store, 'text');
    const vector = [1, 2, 3];
    const searches = [
      () => store.search(vector, 5),
      () => store.search(vector, 6),
      () => store.search(vector, Number.POSITIVE_INFINITY),
      () => store.search(vector, Number.NaN),
      () => store.search([1, 2, 4], 5),
      () => store.search(vector, 5, 'api:default/a'),
      () => store.search(vector, 5, { entityIds: ['api:default/a'] }),
      () => store.search(vector, 5, { entityIds: [] }),
    ];
    for (const search of [...searches, ...searches]) await search();
    expect(watched.searches).toBe(searches.length);
    await store.searchRanked({ mode: 'vector', text: 'text', vector, topK: 5 });
    await store.searchRanked({ mode: 'hybrid', text: 'text', vector, topK: 5 });
    await store.searchRanked({ mode: 'hybrid', text: 'other', vector, topK: 5 });
    expect(store.figures.misses).toBe(searches.length + 3);
  });

  it('keeps no failure', async () => {
    const store = open(new WatchedStore());
    await writeDocument(store, 'text');
    const failing = () => store.search([1, 2], 5);
    await expect(failing()).rejects.toThrow('2');
    await expect(failing()).rejects.toThrow('2');
    expect(store.figures).toMatchObject({ misses: 2, localHits: 0 });
  });

  it('stays within its bounds, and keeps what was used last', async () => {
    const watched = new WatchedStore();
    const store = open(watched, { maxEntries: 2 });
    await writeDocument(store, 'text');
    for (const topK of [1, 2, 1, 3, 1, 2]) await store.search([1, 2, 3], topK);
    expect(watched.searches).toBe(4);
    const small = open(watched, { maxBytes: 100 });
    await small.search([1, 2, 3], 1);
    await small.search([1, 2, 3], 1);
    expect(small.figures).toMatchObject({ misses: 2, localHits: 0 });
  });

  it.each(['while that is under way', 'when that has ended'])(
    'takes nothing for fresh that was looked for before a write, %s',
    async when => {
      const watched = new WatchedStore();
      const store = open(watched, { cache: new MemoryCache() });
      await writeDocument(store, 'old');
      let release = () => {};
      watched.hold = new Promise<void>(resolve => {
        release = resolve;
      });
      const early = store.search([1, 2, 3], 5);
      while (watched.searches === 0) await setImmediate();
      await writeDocument(store, 'new');
      const late = when.startsWith('while') && store.search([1, 2, 3], 5);
      release();
      expect(contents(await early)).toEqual(['old']);
      if (late) expect(contents(await late)).toEqual(['new']);
      expect(contents(await store.search([1, 2, 3], 5))).toEqual(['new']);
    },
  );

  it('takes a write that failed for one that may have committed', async () => {
    const watched = new WatchedStore();
    const store = open(watched);
    await writeDocument(store, 'old');
    await store.search([1, 2, 3], 5);
    const replace = watched.store.replaceDocuments.bind(watched.store);
    watched.store.replaceDocuments = async (...call) => {
      await replace(...call);
      throw new Error('the connection was lost');
    };
    await expect(writeDocument(store, 'new')).rejects.toThrow('lost');
    expect(contents(await store.search([1, 2, 3], 5))).toEqual(['new']);
  });

  it.each<[string, (store: CachedVectorStore) => Promise<unknown>]>([
    ['store', store => store.store(row())],
    ['storeBatch', store => store.storeBatch([row()])],
    ['storeAll', store => store.storeAll([row()])],
    ['replaceAll', store => store.replaceAll([row()])],
    ['clear', store => store.clear()],
    ['useEmbeddingSpace', store => store.useEmbeddingSpace(SPACE)],
    ['changeEmbeddingSpace', store => store.changeEmbeddingSpace(SPACE, async () => [])],
    ['refreshStatistics', store => store.refreshStatistics()],
    ['replaceDocuments', store => writeDocument(store, 'new')],
    ['removeDocument', store => store.removeDocument(CACHED_DOCUMENT)],
  ])('answers nothing from before %s', async (_, change) => {
    const watched = new WatchedStore();
    const store = open(watched);
    const find = () => store.search([1, 2, 3], 5);
    await find();
    await change(store);
    await find();
    expect(watched.searches).toBe(2);
  });

  it('answers another replica from the shared cache, until somebody writes', async () => {
    const watched = new WatchedStore();
    const cache = new MemoryCache();
    const [one, two] = [open(watched, { cache }), open(watched, { cache })];
    await writeDocument(one, 'old');
    await one.search([1, 2, 3], 5);
    await setImmediate();
    expect(contents(await two.search([1, 2, 3], 5))).toEqual(['old']);
    expect(two.figures.sharedHits).toBe(1);
    await writeDocument(two, 'new');
    expect(contents(await one.search([1, 2, 3], 5))).toEqual(['new']);
    expect(watched.searches).toBe(2);
  });

  it('does not take a generation for the present one that a restored cache brings back', async () => {
    const watched = new WatchedStore();
    const cache = new MemoryCache();
    const store = open(watched, { cache });
    await writeDocument(store, 'old');
    await store.search([1, 2, 3], 5);
    await setImmediate();
    const backup = new Map(cache.values);
    await writeDocument(store, 'new');
    cache.values = backup;
    expect(contents(await store.search([1, 2, 3], 5))).toEqual(['new']);
  });

  it.each(['fails', 'forgets', 'hangs'] as const)(
    'goes on when the shared cache %s, and never answers from before an own write',
    async fault => {
      const watched = new WatchedStore();
      const cache = new MemoryCache();
      const store = open(watched, { cache, timeoutMs: 5 });
      await writeDocument(store, 'old');
      await store.search([1, 2, 3], 5);
      await setImmediate();
      cache.fault = fault;
      await writeDocument(store, 'new');
      expect(contents(await store.search([1, 2, 3], 5))).toEqual(['new']);
      cache.fault = undefined;
      expect(contents(await store.search([1, 2, 3], 5))).toEqual(['new']);
      expect(store.figures.bypassed).toBeGreaterThan(0);
      await store.close();
    },
  );
});

function row() {
  const metadata = { source: CACHED_DOCUMENT.source, chunkIndex: 0, totalChunks: 1 };
  const id = `${CACHED_DOCUMENT.entityId}#0`;
  const documentChunk = {
    id,
    entityId: CACHED_DOCUMENT.entityId,
    entityName: 'A',
    content: id,
    metadata,
  };
  return { id, chunkId: id, vector: [1, 2, 3], documentChunk };
}

function contents(hits: { documentChunk: { content: string } }[]): string[] {
  return hits.map(({ documentChunk }) => documentChunk.content);
}
