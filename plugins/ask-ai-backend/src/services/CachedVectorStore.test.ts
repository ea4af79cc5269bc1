import { setImmediate } from 'node:timers/promises';
import { describeVectorStore } from 'backstage-plugin-ask-ai-node/testUtils';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryCache } from '../testing/MemoryCache';
import { CachedVectorStore, type CachedVectorStoreOptions } from './CachedVectorStore';
import { InMemoryVectorStore } from './InMemoryVectorStore';

const BOUNDS = { ttlMs: 60_000, maxEntries: 100, maxBytes: 1_000_000 };
const SPACE = { provider: 'test', model: 'small', dimensions: 3, chunkerVersion: 1 };
const DOCUMENT = { entityId: 'api:default/a', source: 'catalog' as const };

describeVectorStore(
  'CachedVectorStore',
  { create: options => CachedVectorStore.create(InMemoryVectorStore.create(options), BOUNDS) },
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
  return CachedVectorStore.create(watched.store, { ...BOUNDS, ...options });
}

describe('CachedVectorStore', () => {
  it('makes one search of 100 equal ones at once, and none of later ones', async () => {
    const watched = new WatchedStore();
    const store = open(watched);
    await write(store, 'first');
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
    await write(store, 'kept');
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
    await write(store, 'text');
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
    await write(store, 'text');
    const failing = () => store.search([1, 2], 5);
    await expect(failing()).rejects.toThrow('2');
    await expect(failing()).rejects.toThrow('2');
    expect(store.figures).toMatchObject({ misses: 2, localHits: 0 });
  });

  it('stays within its bounds, and keeps what was used last', async () => {
    const watched = new WatchedStore();
    const store = open(watched, { maxEntries: 2 });
    await write(store, 'text');
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
      await write(store, 'old');
      let release = () => {};
      watched.hold = new Promise<void>(resolve => {
        release = resolve;
      });
      const early = store.search([1, 2, 3], 5);
      while (watched.searches === 0) await setImmediate();
      await write(store, 'new');
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
    await write(store, 'old');
    await store.search([1, 2, 3], 5);
    const replace = watched.store.replaceDocuments.bind(watched.store);
    watched.store.replaceDocuments = async (...call) => {
      await replace(...call);
      throw new Error('the connection was lost');
    };
    await expect(write(store, 'new')).rejects.toThrow('lost');
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
    ['replaceDocuments', store => write(store, 'new')],
    ['removeDocument', store => store.removeDocument(DOCUMENT)],
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
    await write(one, 'old');
    await one.search([1, 2, 3], 5);
    await setImmediate();
    expect(contents(await two.search([1, 2, 3], 5))).toEqual(['old']);
    expect(two.figures.sharedHits).toBe(1);
    await write(two, 'new');
    expect(contents(await one.search([1, 2, 3], 5))).toEqual(['new']);
    expect(watched.searches).toBe(2);
  });

  it('does not take a generation for the present one that a restored cache brings back', async () => {
    const watched = new WatchedStore();
    const cache = new MemoryCache();
    const store = open(watched, { cache });
    await write(store, 'old');
    await store.search([1, 2, 3], 5);
    await setImmediate();
    const backup = new Map(cache.values);
    await write(store, 'new');
    cache.values = backup;
    expect(contents(await store.search([1, 2, 3], 5))).toEqual(['new']);
  });

  it.each(['fails', 'forgets', 'hangs'] as const)(
    'goes on when the shared cache %s, and never answers from before an own write',
    async fault => {
      const watched = new WatchedStore();
      const cache = new MemoryCache();
      const store = open(watched, { cache, timeoutMs: 5 });
      await write(store, 'old');
      await store.search([1, 2, 3], 5);
      await setImmediate();
      cache.fault = fault;
      await write(store, 'new');
      expect(contents(await store.search([1, 2, 3], 5))).toEqual(['new']);
      cache.fault = undefined;
      expect(contents(await store.search([1, 2, 3], 5))).toEqual(['new']);
      expect(store.figures.bypassed).toBeGreaterThan(0);
      await store.close();
    },
  );

  it('never returns what a write had removed that was acknowledged before (1,000 interleavings)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        // Of one round all at once; a round begins when all before it is acknowledged.
        fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
        async (scheduler, rounds) => {
          const inner = scheduled(InMemoryVectorStore.create({ dimensions: 3 }), scheduler);
          const cache = scheduledCache(new MemoryCache(), scheduler);
          const replicas = [0, 1].map(() =>
            // In this test time is what the scheduler says: nothing may be late.
            CachedVectorStore.create(inner, { ...BOUNDS, cache, timeoutMs: 2_000_000 }),
          );
          let version = 0;
          let acknowledged = 0;
          const stale: unknown[] = [];
          let writing: Promise<unknown> = Promise.resolve();
          const run = async ([kind, replica, topK]: Step) => {
            const store = replicas[replica] as CachedVectorStore;
            if (kind === 'write') {
              // In order, so that what is stored is known.
              writing = writing.then(async () => {
                version += 1;
                const ours = version;
                await write(store, String(ours));
                acknowledged = Math.max(acknowledged, ours);
              });
              return writing;
            }
            const atLeast = acknowledged;
            const [hit] = await store.search([1, 2, 3], topK + 1);
            const seen = Number(hit?.documentChunk.content ?? 0);
            if (seen < atLeast) stale.push({ seen, atLeast });
          };
          for (const steps of [...rounds, EVERY_SEARCH]) {
            const all = steps.map(step => scheduler.schedule(Promise.resolve(step)).then(run));
            await scheduler.waitFor(Promise.all(all));
          }
          expect(stale).toEqual([]);
        },
      ),
      { numRuns: 1_000, seed: 1 },
    );
  });
});

/** What is done, on which of two replicas, and with which of two results. */
type Step = readonly [kind: 'write' | 'search', replica: number, topK: number];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('write' as const, 'search' as const, 'search' as const),
  fc.nat(1),
  fc.nat(1),
);

/** Finds whatever is kept that is over. */
const EVERY_SEARCH: Step[] = [0, 1].flatMap(replica =>
  [0, 1].map(topK => ['search', replica, topK] as const),
);

/** Of the store and of the two calls of the cache. */
const WRITE_TURNS = 6;

/** Each search and write begins and ends when the scheduler says so. */
function scheduled(store: InMemoryVectorStore, scheduler: fc.Scheduler) {
  const search = store.search.bind(store);
  const replace = store.replaceDocuments.bind(store);
  const turn = () => scheduler.schedule(Promise.resolve());
  store.search = async (...query) => {
    await turn();
    const hits = await search(...query);
    // As many as a write takes, or else few writes would overtake a search.
    for (let waited = 0; waited < WRITE_TURNS; waited++) await turn();
    return hits;
  };
  store.replaceDocuments = async (...call) => {
    await turn();
    const result = await replace(...call);
    await turn();
    return result;
  };
  return store;
}

/** A call takes effect at one moment between its begin and its end, whatever the order of the calls. */
function scheduledCache(cache: MemoryCache, scheduler: fc.Scheduler) {
  const turn = () => scheduler.schedule(Promise.resolve());
  return {
    async get<T>(key: string): Promise<T | undefined> {
      await turn();
      const value = await cache.get<T>(key);
      await turn();
      return value;
    },
    async set(...call: Parameters<MemoryCache['set']>) {
      await turn();
      await cache.set(...call);
      await turn();
    },
  };
}

async function write(store: CachedVectorStore, content: string): Promise<void> {
  const metadata = { source: DOCUMENT.source, chunkIndex: 0, totalChunks: 1 };
  const id = `${DOCUMENT.entityId}#${content}`;
  const documentChunk = { id, entityId: DOCUMENT.entityId, entityName: 'A', content, metadata };
  await store.replaceDocuments([
    {
      ...DOCUMENT,
      fingerprint: content,
      embedded: [{ id, chunkId: id, vector: [1, 2, 3], documentChunk }],
      kept: [],
    },
  ]);
}

function row() {
  const metadata = { source: DOCUMENT.source, chunkIndex: 0, totalChunks: 1 };
  const id = `${DOCUMENT.entityId}#0`;
  const documentChunk = { id, entityId: DOCUMENT.entityId, entityName: 'A', content: id, metadata };
  return { id, chunkId: id, vector: [1, 2, 3], documentChunk };
}

function contents(hits: { documentChunk: { content: string } }[]): string[] {
  return hits.map(({ documentChunk }) => documentChunk.content);
}
