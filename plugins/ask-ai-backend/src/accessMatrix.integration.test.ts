import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../tests/services/testDatabase';
import { type AccessBackend, startAccessBackend } from './testing/access/backend';
import { manyEntities } from './testing/access/catalog';
import { DOORS } from './testing/access/doors';
import { runAccessMatrix } from './testing/access/matrix';
import { matrixUsers } from './testing/access/users';

/** `npm run campaign -- access` runs more. */
const QUERIES = Number(process.env.ASK_AI_MATRIX_QUERIES ?? 200);
const SEED = Number(process.env.ASK_AI_MATRIX_SEED ?? 1);

const ENTITIES = 500;

const ACTIONS = '/ask-ai/.backstage/actions/v1/actions';

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

  it('is offered as read-only actions to whoever may ask, numbers as texts among the input', async () => {
    const listed = async (user: string) => {
      const response = await backend.fetch('/ask-ai/.backstage/actions/v1/actions', { user });
      return ((await response.json()) as { actions: { id: string; attributes: object }[] }).actions;
    };
    const actions = await listed('user:default/public');
    expect(actions.map(({ id }) => id).sort()).toEqual(['ask-ai:ask', 'ask-ai:search']);
    for (const { attributes } of actions) {
      expect(attributes).toMatchObject({ readOnly: true, destructive: false });
    }
    expect(await listed('user:default/silent')).toEqual([]);
    const response = await backend.fetch(`${ACTIONS}/ask-ai:search/invoke`, {
      user: 'user:default/public',
      body: { query: 'payment refund', topK: '3' },
    });
    const { output } = (await response.json()) as { output: { results: object[] } };
    expect(output.results).toHaveLength(3);
  });

  it('takes an entity that is hidden for one that does not exist', async () => {
    const user = 'user:default/one';
    const refusal = async (entityRef: string) => {
      const response = await backend.fetch('/ask-ai/index/entity', { user, body: { entityRef } });
      return { status: response.status, text: (await response.text()).replaceAll(entityRef, 'X') };
    };
    // Number 42 is what this user reads.
    const hidden = await refusal('api:default/entity-3');
    expect(hidden).toEqual(await refusal('api:default/nobody'));
    expect(hidden.status).toBe(404);
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
          [`${ACTIONS}/ask-ai:search/invoke`, { body: { query: 'payment refund' } }],
          [`${ACTIONS}/ask-ai:ask/invoke`, { body: { prompt: 'What does payment?' } }],
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
