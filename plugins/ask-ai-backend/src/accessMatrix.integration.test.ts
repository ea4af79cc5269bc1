import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../tests/services/testDatabase';
import { type AccessBackend, startAccessBackend } from './testing/access/backend';
import { manyEntities } from './testing/access/catalog';
import { DOORS, runAccessMatrix } from './testing/access/matrix';
import { matrixUsers } from './testing/access/users';

/** `npm run campaign -- access` runs more. */
const QUERIES = Number(process.env.ASK_AI_MATRIX_QUERIES ?? 200);
const SEED = Number(process.env.ASK_AI_MATRIX_SEED ?? 1);

const ENTITIES = 500;

describe('what 20 users find of 500 entities', { timeout: 1_200_000 }, () => {
  let database: TestDatabase;
  let backend: AccessBackend;

  beforeAll(async () => {
    database = await createTestDatabase();
    backend = await startAccessBackend({
      entities: manyEntities(ENTITIES),
      askAi: {
        vectorStore: { type: 'postgresql', postgresql: { connectionString: database.url } },
        // The machine may be busy, and no search may be cut.
        permissions: { budgetMs: 60_000 },
        rateLimit: { searchesPerSecond: 0, questionsPerSecond: 0 },
      },
    });
  }, 120_000);

  afterAll(async () => {
    await backend?.stop();
    await database.drop();
  });

  it(`is what the catalog shows them, in ${QUERIES} random calls through every door`, async () => {
    expect(Object.keys(matrixUsers)).toHaveLength(20);
    const report = await runAccessMatrix(backend, {
      queries: QUERIES,
      seed: SEED,
      entityCount: ENTITIES,
    });
    const { outside, faults, ...counts } = report;
    process.stdout.write(`access matrix: ${JSON.stringify(counts)}\n`);
    expect(outside.slice(0, 20)).toEqual([]);
    expect(faults.slice(0, 20)).toEqual([]);
    expect(report.queries).toBe(QUERIES);
    expect(Object.keys(report.byDoor).sort()).toEqual([...DOORS].sort());
    expect(report.hits).toBeGreaterThan(QUERIES);
    expect(report.exhausted).toBeGreaterThan(0);
    expect(report.refused).toBeGreaterThan(0);
  });

  it.each(['permission', 'catalog'])(
    'is nothing, with status 503, while %s is down',
    async plugin => {
      backend.unreachable.add(plugin);
      try {
        for (const [path, options] of [
          ['/ask-ai/search', { body: { query: 'payment refund' } }],
          ['/ask-ai/', { body: { prompt: 'What does payment?' } }],
          ['/ask-ai/', { body: { prompt: 'What does payment?' }, accept: 'text/event-stream' }],
          ['/ask-ai/index/export', {}],
          ['/ask-ai/index/status', {}],
          ['/ask-ai/index/entity', { body: { entityRef: 'component:default/entity-1' } }],
        ] as const) {
          const response = await backend.fetch(path, { user: 'user:default/internal', ...options });
          const text = await response.text();
          expect({ path, status: response.status }).toEqual({ path, status: 503 });
          expect(text).not.toMatch(/entity-|ECONNREFUSED|localhost/);
        }
      } finally {
        backend.unreachable.delete(plugin);
      }
    },
  );
});
