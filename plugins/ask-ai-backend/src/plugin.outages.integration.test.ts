import { mockServices, startTestBackend } from '@backstage/backend-test-utils';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { query } from '../../../tests/services/connect';
import { pollUntil } from '../../../tests/services/poll';
import { type PostgresServer, startPostgres } from '../../../tests/services/postgres';
import { say } from '../../../tests/services/say';
import askAiPlugin from '.';
import { describedEntity } from './testing/askAiBackend';

const RECOVERY_MS = 5_000;
/** Of a run on a machine that is busy with other things. */
const RUN_MS = 30_000;

describe('a backend whose database is away', { timeout: 120_000 }, () => {
  let server: PostgresServer;
  let backend: Awaited<ReturnType<typeof startTestBackend>>;
  let api: ReturnType<typeof request>;

  const start = async (connectionString: string) => {
    backend = await startTestBackend({
      features: [
        askAiPlugin,
        catalogServiceMock.factory({
          entities: [describedEntity('payments', 'Takes payments by card and bank transfer.')],
        }),
        mockServices.rootConfig.factory({
          data: {
            backend: { baseUrl: 'http://localhost:0' },
            askAi: {
              index: { settleSeconds: 0 },
              vectorStore: { type: 'postgresql', postgresql: { connectionString } },
            },
          },
        }),
      ],
    });
    api = request(backend.server);
  };

  const search = () => api.post('/api/ask-ai/search').send({ query: 'payments by card' });

  /** Milliseconds until /health is content and a search succeeds. */
  const recovery = async () => {
    const startedAt = performance.now();
    await pollUntil('A backend that is well', RECOVERY_MS, async () => {
      const health = await api.get('/api/ask-ai/health');
      return (health.status === 200 && (await search()).status === 200) || undefined;
    });
    return Math.round(performance.now() - startedAt);
  };

  const indexed = () =>
    pollUntil('The first run', RUN_MS, async () => {
      const { body } = await api.get('/api/ask-ai/index/status');
      return body.lastRun?.outcome === 'completed' && body.state === 'idle' ? body : undefined;
    });

  beforeAll(async () => {
    server = await startPostgres();
  });

  afterEach(() => backend.stop());

  afterAll(() => server.close());

  it('starts, says why it is not well, and works by itself once the server is there', async () => {
    const url = server.url;
    await server.stop();
    await start(url);
    const unwell = await api.get('/api/ask-ai/health');
    expect(unwell.status).toBe(503);
    expect(unwell.body.checks.store).toMatchObject({
      status: 'error',
      message: expect.stringContaining('(ECONNREFUSED). Check that the server runs'),
    });
    const paths = ['/', '/search', '/index', '/index/entity'];
    const bodies = [
      { prompt: 'x' },
      { query: 'x' },
      {},
      { entityRef: 'component:default/payments' },
    ];
    for (const [call, path] of paths.entries()) {
      const refused = await api.post(`/api/ask-ai${path}`).send(bodies[call]);
      expect([path, refused.status]).toEqual([path, 503]);
    }
    expect((await api.get('/api/ask-ai/index/status')).status).toBe(503);
    expect((await api.delete('/api/ask-ai/index')).status).toBe(503);
    expect((await api.get('/api/ask-ai/index/export')).status).toBe(503);

    await server.start();
    const startedMs = await recovery();
    expect(await indexed()).toMatchObject({ entityCount: 1, lastRun: { trigger: 'startup' } });
    expect((await search()).body.results[0].documentChunk.entityName).toBe('payments');

    // In the middle of its life.
    await server.stop('immediate');
    const refused = await pollUntil('A refusal by the breaker', 10_000, async () => {
      const response = await search();
      expect(response.status).toBe(503);
      return response.body.error.name === 'CircuitOpenError' ? response : undefined;
    });
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.body.error.message).toContain('failed 5 times in a row');
    expect((await api.get('/api/ask-ai/health')).status).toBe(503);
    await server.start();
    const againMs = await recovery();
    say(`Well ${startedMs} ms after a start without a server, and ${againMs} ms after a crash`);
    expect((await search()).body.results[0].documentChunk.entityName).toBe('payments');
  });

  it('tells what somebody must mend, and works without a restart after that', async () => {
    await query(
      server.url,
      'create database apart',
      `create role engineer login password 'another'`,
    );
    const url = new URL(server.url);
    url.pathname = 'apart';
    url.username = 'engineer';
    url.password = 'wrong';
    await start(url.href);
    const told = () =>
      api.get('/api/ask-ai/health').then(({ body }) => body.checks.store.message as string);
    expect(await told()).toContain('(28P01). Check user and password');
    expect((await search()).status).toBe(503);

    await query(server.url, `alter role engineer password 'wrong'`);
    const toldNext = (remedy: RegExp) =>
      pollUntil(`The remedy ${remedy}`, RECOVERY_MS, async () =>
        remedy.test(await told()) ? true : undefined,
      );
    await toldNext(/permission denied for schema public/);
    expect((await search()).body.error.name).toBe('VectorStoreSchemaError');

    url.username = new URL(server.url).username;
    url.password = new URL(server.url).password;
    await query(
      url.href,
      'grant create on schema public to engineer',
      'grant create on database apart to engineer',
    );
    await toldNext(/CREATE EXTENSION/i);

    await query(url.href, 'create extension vector');
    await recovery();
    expect(await indexed()).toMatchObject({ entityCount: 1 });
  });
});
