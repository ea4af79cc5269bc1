import { setTimeout as delay } from 'node:timers/promises';
import { CacheManager } from '@backstage/backend-defaults/cache';
import { ConfigReader } from '@backstage/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../tests/services/poll';
import { type RedisServer, startRedis } from '../../../../tests/services/redis';
import { ServerStores } from '../testing/serverStores';
import { CachedVectorStore } from './CachedVectorStore';

const TTL_MS = 1_500;
const BOUNDS = { ttlMs: TTL_MS, maxEntries: 1_000, maxBytes: 10_000_000 };
const KEY = { entityId: 'api:default/a', source: 'catalog' as const };

/** A search on a machine that is busy: the two calls of the cache have 100 ms each. */
const SLOWEST_MS = 2_000;

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
}, 240_000);

afterAll(() => redis?.close());

/**
 * Backstage's own cache service over the Redis of the test, with a connection of its own. Its client for
 * `valkey` speaks to Redis as well, and unlike the one for `redis` it connects again: see `SharedTier`.
 */
function cacheService() {
  const cache = { store: 'valkey', connection: redis.url };
  return CacheManager.fromConfig(new ConfigReader({ backend: { cache } })).forPlugin('ask-ai');
}

describe('two replicas on PostgreSQL that share Redis', () => {
  it('fail no search and return nothing stale beyond the promise while Redis is killed, restarted and hangs', async () => {
    const database = await ServerStores.create();
    const replicas = await Promise.all(
      [0, 1].map(async () => {
        const { store } = await database.open({ dimensions: 3 });
        return CachedVectorStore.create(store, { ...BOUNDS, cache: cacheService() });
      }),
    );
    const record = new Record();
    const stop = new AbortController();
    const work = [
      writeVersions(replicas, record, stop.signal),
      ...replicas.flatMap((store, replica) =>
        [1, 2, 3].map(topK => readVersions(store, { replica, topK }, record, stop.signal)),
      ),
    ];
    /** Resolves when both replicas answer from what they keep. */
    const works = () => answersFromCache(replicas, record);
    try {
      await works();
      record.isUp = true;
      await delay(1_500);
      record.isUp = false;
      await redis.kill();
      await delay(1_500);
      await redis.start();
      await works();
      record.isUp = true;
      await delay(1_000);
      record.isUp = false;
      redis.pause();
      await delay(1_500);
      redis.resume();
      await works();
      record.isUp = true;
      await delay(1_000);
    } finally {
      stop.abort();
      await Promise.all(work);
      await Promise.all(replicas.map(store => store.close()));
      await database.close();
    }
    expect(record.failures).toEqual([]);
    expect(record.breaches).toEqual([]);
    expect(record.slowestMs).toBeLessThan(SLOWEST_MS);
    // Otherwise nothing was looked at.
    expect(record.searches).toBeGreaterThan(1_000);
    expect(record.versions.length).toBeGreaterThan(20);
    for (const { figures } of replicas) {
      expect(figures.localHits).toBeGreaterThan(0);
      expect(figures.sharedHits).toBeGreaterThan(0);
      expect(figures.bypassed).toBeGreaterThan(0);
    }
    process.stdout.write(`${record.describe()}\n`);
  }, 120_000);
});

interface Version {
  writer: number;
  acknowledgedAt: number;
  /** Redis was there all the time from the beginning of the write until its acknowledgement. */
  wasTold: boolean;
}

/** What was written and what was seen. */
class Record {
  readonly versions: Version[] = [];
  readonly failures: unknown[] = [];
  readonly breaches: unknown[] = [];
  isUp = false;
  searches = 0;
  staleWithinPromise = 0;
  slowestMs = 0;

  /** The newest version that a search which begins now must see. */
  expected(replica: number): { atOnce: number; acknowledged: number } {
    const now = performance.now();
    let atOnce = 0;
    this.versions.forEach(({ writer, acknowledgedAt, wasTold }, index) => {
      if (writer === replica || wasTold || acknowledgedAt < now - TTL_MS) atOnce = index + 1;
    });
    return { atOnce, acknowledged: this.versions.length };
  }

  describe(): string {
    return `${this.searches} searches beside ${this.versions.length} writes: ${this.failures.length} failed, ${this.breaches.length} stale beyond the promise, ${this.staleWithinPromise} within the time to live, slowest ${Math.round(this.slowestMs)} ms`;
  }
}

async function writeVersions(
  replicas: CachedVectorStore[],
  record: Record,
  signal: AbortSignal,
): Promise<void> {
  for (let version = 1; !signal.aborted; version++) {
    const writer = version % replicas.length;
    const { isUp } = record;
    try {
      await write(replicas[writer] as CachedVectorStore, version);
    } catch (error) {
      record.failures.push(error);
    }
    record.versions.push({
      writer,
      acknowledgedAt: performance.now(),
      wasTold: isUp && record.isUp,
    });
    // Time to find something in the cache between two writes.
    await delay(60);
  }
}

async function readVersions(
  store: CachedVectorStore,
  { replica, topK }: { replica: number; topK: number },
  record: Record,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const startedAt = performance.now();
    const { atOnce, acknowledged } = record.expected(replica);
    try {
      const [hit] = await store.search([1, 2, 3], topK);
      const seen = Number(hit?.documentChunk.content ?? 0);
      if (seen < atOnce) record.breaches.push({ replica, seen, atOnce });
      else if (seen < acknowledged) record.staleWithinPromise += 1;
    } catch (error) {
      record.failures.push(error);
    }
    record.searches += 1;
    record.slowestMs = Math.max(record.slowestMs, performance.now() - startedAt);
    await delay(1);
  }
}

async function answersFromCache(replicas: CachedVectorStore[], record: Record): Promise<void> {
  for (const store of replicas) {
    const { localHits, sharedHits } = store.figures;
    await pollUntil('answers from the caches', 30_000, () => {
      const { figures } = store;
      return (figures.localHits > localHits && figures.sharedHits > sharedHits) || undefined;
    });
  }
  // What was written while Redis was away may be told late.
  const { length } = record.versions;
  await pollUntil('further writes', 30_000, () => record.versions.length > length + 4 || undefined);
}

async function write(store: CachedVectorStore, version: number): Promise<void> {
  const metadata = { source: KEY.source, chunkIndex: 0, totalChunks: 1 };
  const id = `${KEY.entityId}#${version}`;
  const content = String(version);
  const documentChunk = { id, entityId: KEY.entityId, entityName: 'A', content, metadata };
  await store.replaceDocuments([
    {
      ...KEY,
      fingerprint: content,
      embedded: [{ id, chunkId: id, vector: [1, 2, 3], documentChunk }],
      kept: [],
    },
  ]);
}
