import { setTimeout as delay } from 'node:timers/promises';
import { ConfigReader } from '@backstage/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../tests/services/poll';
import { type RedisServer, startRedis } from '../../../../tests/services/redis';
import { say } from '../../../../tests/services/say';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { DEFAULT_DIMENSIONS } from '../database/schema';
import { MemoryCache } from '../testing/MemoryCache';
import { type CachedReplica, startCachedReplica } from '../testing/startCachedReplica';
import { TcpProxy } from '../testing/TcpProxy';
import { silentLogger } from '../testing/testRuntime';
import { VersionRecord } from '../testing/VersionRecord';
import { ConfigService } from './ConfigService';
import { VectorStoreFactory } from './VectorStoreFactory';

const TTL_SECONDS = 2;
const TTL_MS = TTL_SECONDS * 1_000;

/** A search on a machine that is busy: the two calls of the cache have 100 ms each. */
const SLOWEST_MS = 2_000;

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
}, 240_000);

afterAll(() => redis?.close());

/** Two backends on one database; only the first one's way to Redis can be cut. */
async function withReplicas(
  store: 'redis' | 'valkey',
  work: (all: {
    replicas: readonly CachedReplica[];
    record: VersionRecord;
    way: TcpProxy;
  }) => Promise<void>,
): Promise<VersionRecord> {
  const database = await createTestDatabase();
  const way = await TcpProxy.start(redis.port);
  const replicas: CachedReplica[] = [];
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  try {
    for (const port of [way.port, redis.port]) {
      replicas.push(
        await startCachedReplica({
          databaseUrl: database.url,
          cache: { store, connection: `redis://127.0.0.1:${port}` },
          ttlSeconds: TTL_SECONDS,
        }),
      );
    }
    await Promise.all(replicas.map(replica => replica.started()));
    const record = new VersionRecord(replicas, TTL_MS);
    running = record.run(stop.signal);
    await record.untilCached();
    await work({ replicas, record, way });
    stop.abort();
    await running;
    say(`${store}: ${record.describe()}`);
    return record;
  } finally {
    stop.abort();
    await running;
    await Promise.all(replicas.map(({ process }) => process.kill()));
    await way.cut();
    await database.drop();
  }
}

/** Runs a while in which every write must be seen at once. */
async function whileUp(record: VersionRecord): Promise<void> {
  record.isUp = true;
  await delay(1_000);
  record.isUp = false;
}

describe('two backends that share PostgreSQL and Redis', { timeout: 180_000 }, () => {
  it('fail no search and return nothing stale beyond the promise while Redis is killed, hangs and is cut off', async () => {
    const record = await withReplicas('valkey', async ({ replicas, record, way }) => {
      await whileUp(record);
      await redis.kill();
      await delay(1_500);
      await redis.start();
      await record.untilCached();
      await whileUp(record);
      redis.pause();
      await delay(1_500);
      redis.resume();
      await record.untilCached();
      await whileUp(record);
      // All this time the other one takes what it keeps for the present state.
      record.onlyWriter = 0;
      await way.cut();
      await delay(3 * TTL_MS);
      await way.mend();
      record.onlyWriter = undefined;
      await record.untilCached();
      await whileUp(record);
      for (const replica of replicas) {
        expect((await replica.figures()).bypassed).toBeGreaterThan(0);
      }
    });
    expect(record.failures).toEqual([]);
    expect(record.breaches).toEqual([]);
    expect(record.slowestMs).toBeLessThan(SLOWEST_MS);
    // Otherwise nothing was looked at.
    expect(record.searches).toBeGreaterThan(1_000);
    expect(record.writes).toBeGreaterThan(50);
    expect(record.staleWithinPromise).toBeGreaterThan(0);
  });

  it('fail no search and do not end when Redis is killed under the client that does not connect again', async () => {
    const record = await withReplicas('redis', async ({ replicas, record }) => {
      await whileUp(record);
      await redis.kill();
      await redis.start();
      const before = await Promise.all(replicas.map(replica => replica.figures()));
      await delay(1_500);
      for (const [index, replica] of replicas.entries()) {
        await logged(replica, 'Uncaught exception');
        const now = await replica.figures();
        expect(now.bypassed).toBeGreaterThan(before[index]?.bypassed ?? 0);
        // With a client that connects again, docs/CONFIG.md has to be changed.
        expect(now.localHits).toBe(before[index]?.localHits);
      }
    });
    expect(record.failures).toEqual([]);
    expect(record.breaches).toEqual([]);
    expect(record.slowestMs).toBeLessThan(SLOWEST_MS);
  });
});

async function logged({ process }: CachedReplica, text: string): Promise<void> {
  while (!(await process.nextLine()).includes(text));
}

describe('stores that share a cache', () => {
  let databases: TestDatabase[];

  beforeAll(async () => {
    databases = await Promise.all([createTestDatabase(), createTestDatabase()]);
  });

  afterAll(() => Promise.all(databases.map(database => database.drop())));

  it('never answer from one another, also where a connection string is no URL', async () => {
    const cache = new MemoryCache();
    const stores = await Promise.all(
      databases.map(({ url }) =>
        VectorStoreFactory.create(
          ConfigService.fromConfig(
            new ConfigReader({
              backend: { cache: { store: 'valkey' } },
              askAi: {
                cache: { enabled: true },
                vectorStore: {
                  type: 'postgresql',
                  postgresql: { connectionString: hostAsParameter(url) },
                },
              },
            }),
          ),
          silentLogger(),
          { cache },
        ),
      ),
    );
    try {
      const vector = Float32Array.from({ length: DEFAULT_DIMENSIONS }, () => 1);
      for (const [number, store] of stores.entries()) {
        const entityId = `api:default/${number}`;
        const metadata = { source: 'catalog' as const, chunkIndex: 0, totalChunks: 1 };
        const id = `${entityId}#0`;
        const documentChunk = { id, entityId, entityName: id, content: id, metadata };
        await store.store({ id, chunkId: id, vector, documentChunk });
      }
      const find = () => Promise.all(stores.map(store => store.search(vector, 5)));
      const expected = [['api:default/0'], ['api:default/1']];
      const entities = (found: Awaited<ReturnType<typeof find>>) =>
        found.map(hits => hits.map(({ documentChunk }) => documentChunk.entityId));
      expect(entities(await find())).toEqual(expected);
      await pollUntil('Results in the cache', 5_000, () => cache.values.size >= 4 || undefined);
      expect(entities(await find())).toEqual(expected);
    } finally {
      await Promise.all(stores.map(store => store.close()));
    }
  });
});

/** `postgresql://user:password@/database?host=...`, as for a socket. */
function hostAsParameter(text: string): string {
  const { username, password, hostname, port, pathname } = new URL(text);
  return `postgresql://${username}:${password}@${pathname}?host=${hostname}&port=${port}`;
}
