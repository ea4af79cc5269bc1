import { cacheServiceFactory } from '@backstage/backend-defaults/cache';
import type { SearchResponse } from 'backstage-plugin-ask-ai-common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { query } from '../../../tests/services/connect';
import { type RedisServer, startRedis } from '../../../tests/services/redis';
import { createTestDatabase, type TestDatabase } from '../../../tests/services/testDatabase';
import { type AccessBackend, startAccessBackend } from './testing/access/backend';
import { manyEntities } from './testing/access/catalog';
import { runAccessMatrix } from './testing/access/matrix';

const ENTITIES = 120;
const QUERIES = 60;

/** In the order in which the entities have them. */
const TIERS = ['public', 'internal', 'secret'];

describe('what users find while searches are cached in Redis', { timeout: 240_000 }, () => {
  let database: TestDatabase;
  let redis: RedisServer;
  let backend: AccessBackend;

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await startRedis();
    backend = await startAccessBackend({
      entities: manyEntities(ENTITIES),
      cache: { store: 'valkey', connection: redis.url },
      features: [cacheServiceFactory],
      askAi: {
        cache: { enabled: true },
        vectorStore: { type: 'postgresql', postgresql: { connectionString: database.url } },
        permissions: { budgetMs: 60_000 },
        rateLimit: { searchesPerSecond: 0, questionsPerSecond: 0 },
      },
    });
  }, 240_000);

  afterAll(async () => {
    await backend?.stop();
    await redis?.close();
    await database.drop();
  });

  it('is what each of them may read of the same cached result', async () => {
    const search = async (user: string) => {
      const body = { query: 'payment refund invoice', topK: 5 };
      const response = await backend.fetch('/ask-ai/search', { user, body });
      return ((await response.json()) as SearchResponse).results.map(
        ({ documentChunk }) => documentChunk,
      );
    };
    const tiersOf = (chunks: { entityId: string }[]) => [
      ...new Set(chunks.map(({ entityId }) => TIERS[Number(entityId.split('-').at(-1)) % 3])),
    ];
    expect(tiersOf(await search('user:default/public'))).toEqual(['public']);
    // Past the plugin: who finds the old text was answered from the cache.
    await query(database.url, `UPDATE embeddings SET content = content || ' CHANGED'`);
    for (const [user, tiers] of [
      ['user:default/internal', ['internal']],
      ['user:default/public', ['public']],
      ['user:default/denied', []],
    ] as const) {
      const chunks = await search(user);
      expect({ user, tiers: tiersOf(chunks) }).toEqual({ user, tiers });
      expect(chunks.filter(({ content }) => content.includes('CHANGED'))).toEqual([]);
    }
  });

  it(`is what the catalog shows them, in ${QUERIES} random calls through every door`, async () => {
    const report = await runAccessMatrix(backend, {
      queries: QUERIES,
      seed: 1,
      entityCount: ENTITIES,
    });
    expect(report.outside).toEqual([]);
    expect(report.faults).toEqual([]);
    expect(report.hits).toBeGreaterThan(0);
  });
});
