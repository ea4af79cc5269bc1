import { CacheManager } from '@backstage/backend-defaults/cache';
import { ConfigReader } from '@backstage/config';
import { describeVectorStore } from 'backstage-plugin-ask-ai-node/testUtils';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type RedisServer, startRedis } from '../../../../tests/services/redis';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import type { SharedCache } from '../lib/cache/SharedTier';
import { RESILIENCE } from '../testing/resilientStores';
import { silentLogger } from '../testing/testRuntime';
import { CachedVectorStore } from './CachedVectorStore';
import { PgVectorStore } from './PgVectorStore';
import { ResilientVectorStore } from './ResilientVectorStore';

/** The first of every part of the contract and each so many after it; all of them by `npm run campaign -- cache`. */
const EVERY = Number(process.env.ASK_AI_CACHE_CONTRACT_EVERY ?? 20);

let redis: RedisServer;
let cache: SharedCache;
let database: TestDatabase;

beforeAll(async () => {
  redis = await startRedis();
  const backend = { cache: { store: 'valkey', connection: redis.url } };
  cache = CacheManager.fromConfig(new ConfigReader({ backend })).forPlugin('ask-ai');
}, 240_000);

afterAll(() => redis?.close());

const setup = {
  create: async ({ dimensions }: { dimensions: number }) => {
    database = await createTestDatabase();
    const store = await PgVectorStore.create({
      postgresql: { connectionString: database.url },
      logger: silentLogger(),
      dimensions,
    });
    return CachedVectorStore.create(ResilientVectorStore.create(store, RESILIENCE), {
      ttlMs: 60_000,
      maxEntries: 100,
      maxBytes: 1_000_000,
      cache,
      name: database.name,
    });
  },
  cleanup: () => database.drop(),
};

let count = 0;
describeVectorStore('CachedVectorStore on a server and Redis', setup, {
  describe: (name, body) =>
    describe(name, () => {
      count = 0;
      body();
    }),
  it: (title, body, timeoutMs) => {
    if (count % EVERY === 0) it(title, body, timeoutMs);
    count += 1;
  },
});
