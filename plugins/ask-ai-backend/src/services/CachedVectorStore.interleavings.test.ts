import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CACHE_BOUNDS, writeDocument } from '../testing/cachedDocument';
import { MemoryCache } from '../testing/MemoryCache';
import { CachedVectorStore } from './CachedVectorStore';
import { InMemoryVectorStore } from './InMemoryVectorStore';

describe('CachedVectorStore on two replicas', () => {
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
            CachedVectorStore.create(inner, { ...CACHE_BOUNDS, cache, timeoutMs: 2_000_000 }),
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
                await writeDocument(store, String(ours));
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
