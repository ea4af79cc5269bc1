import { CacheManager } from '@backstage/backend-defaults/cache';
import { ConfigReader } from '@backstage/config';
import { CachedVectorStore } from '../../plugins/ask-ai-backend/src/services/CachedVectorStore';
import { startRedis } from '../../tests/services/redis';
import { fillTable, queries } from '../dataset';
import { openFloor } from '../floor';
import { compare, latencyRounds } from '../measure';
import { assertCorrect, p50 } from '../measurement';
import { hitIds, openStore, scanSettings } from '../stores';
import { type Suite, TOP_K } from '../suite';

const BOUNDS = { ttlMs: 3_600_000, maxEntries: 100_000, maxBytes: 1_000_000_000 };

/** What a cached search costs and saves, against the bare store. */
export const cache: Suite = {
  name: 'cache',
  what: 'searches through the cache: hits in the process, hits in Redis and misses, against the bare store',
  takes: '2 minutes',
  rows: 100_000,
  shortRows: 2_000,
  async run(options) {
    const { rows, dimensions, effort, report, progress } = options;
    const url = await options.newDatabase();
    const bare = await openStore(url, options);
    const pool = openFloor(url, 1, await scanSettings(bare));
    const redis = await startRedis();
    try {
      progress(`loading ${rows} rows`);
      await fillTable(pool, rows, dimensions);
      const open = (service?: ReturnType<typeof cacheService>, maxEntries = BOUNDS.maxEntries) =>
        CachedVectorStore.create(bare, { ...BOUNDS, maxEntries, cache: service });
      const service = cacheService(redis.url);
      const alone = open();
      const local = open(service);
      // One entry: what it is asked for is never there.
      const shared = open(service, 1);
      const vectors = queries(effort.calls, dimensions);
      const find = (store: Pick<CachedVectorStore, 'search'>, call: number) =>
        store.search(vectors[call] as Float32Array, TOP_K);
      // Never one after the other for the same vector: whoever came second would find warm pages.
      const apart = Math.floor(effort.calls / 3);
      let fresh = 0;
      const rounds = await latencyRounds(effort, {
        bare: call => find(bare, call),
        alone: call => find(alone, call),
        local: call => find(local, call),
        shared: call => find(shared, call),
        missAlone: call => missed(alone, call + apart),
        miss: call => missed(local, call + 2 * apart),
      });
      /** Asks for what nobody asked for before: `minSimilarity` takes no hit away. */
      function missed(store: CachedVectorStore, call: number) {
        fresh += 1;
        const filter = { minSimilarity: -1 + fresh * 1e-9 };
        return store.search(vectors[call % vectors.length] as Float32Array, TOP_K, filter);
      }
      const line = (side: 'alone' | 'local' | 'shared' | 'missAlone' | 'miss', what: string) =>
        report(p50(`${what}: p50`, compare(rounds, side, 'bare')));
      line('alone', 'hit in the process, no shared cache');
      line('local', 'hit in the process, generation in Redis');
      line('shared', 'hit in Redis');
      line('missAlone', 'miss, no shared cache');
      line('miss', 'miss, with Redis');
      for (const store of [alone, local, shared]) {
        assertCorrect(
          hitIds(await find(store, 0)).join() === hitIds(await find(bare, 0)).join(),
          'a cached search found something else',
        );
      }
      assertCorrect(alone.figures.localHits > 0, 'nothing was found in the process');
      assertCorrect(shared.figures.sharedHits > 0, 'nothing was found in Redis');
    } finally {
      await bare.close();
      await pool.end();
      await redis.close();
    }
  },
};

/** Backstage's own, by the client that connects again after a restart. */
function cacheService(connection: string) {
  const backend = { cache: { store: 'valkey', connection } };
  return CacheManager.fromConfig(new ConfigReader({ backend })).forPlugin('ask-ai');
}
