import { mockCredentials, mockServices, startTestBackend } from '@backstage/backend-test-utils';
import type { Entity } from '@backstage/catalog-model';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import type { IndexStatus } from 'backstage-plugin-ask-ai-common';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../tests/services/poll';
import { freePort } from '../../../tests/services/ports';
import { createTestDatabase, type TestDatabase } from '../../../tests/services/testDatabase';
import askAiPlugin from '.';

const PAYMENTS: Entity = {
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Component',
  metadata: {
    name: 'payments',
    namespace: 'default',
    description: 'Takes payments by card and bank transfer.',
    tags: ['java'],
  },
  spec: { type: 'service', lifecycle: 'production', owner: 'group:default/till' },
  relations: [{ type: 'ownedBy', targetRef: 'group:default/till' }],
};

const SHIPPING: Entity = {
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Component',
  metadata: { name: 'shipping', namespace: 'default', description: 'Prints parcel labels.' },
  spec: { type: 'service', lifecycle: 'experimental', owner: 'group:default/depot' },
};

type Backend = Awaited<ReturnType<typeof startTestBackend>>;

describe('the plugin in a backend, on a server', { timeout: 60_000 }, () => {
  let database: TestDatabase;
  let backend: Backend;
  let api: ReturnType<typeof request>;

  const start = async (askAi: object = {}, entities: Entity[] = [PAYMENTS, SHIPPING]) => {
    backend = await startTestBackend({
      features: [
        askAiPlugin,
        catalogServiceMock.factory({ entities }),
        mockServices.rootConfig.factory({
          data: {
            backend: { baseUrl: 'http://localhost:0' },
            askAi: {
              index: { settleSeconds: 0 },
              vectorStore: {
                type: 'postgresql',
                postgresql: { connectionString: database.url },
              },
              ...askAi,
            },
          },
        }),
      ],
    });
    api = request(backend.server);
  };

  const finishedRun = (isWanted: (status: IndexStatus) => boolean) =>
    pollUntil('A finished run', 50_000, async () => {
      const status: IndexStatus = (await api.get('/api/ask-ai/index/status')).body;
      return status.state === 'idle' && isWanted(status) ? status : undefined;
    });

  const indexed = () => finishedRun(({ lastRun }) => lastRun !== undefined);

  beforeEach(async () => {
    database = await createTestDatabase();
  });

  afterEach(async () => {
    await backend?.stop();
    await database.drop();
  });

  it('indexes the catalog by itself and answers with the entity as source', async () => {
    await start();
    const status = await indexed();
    expect(status).toMatchObject({
      state: 'idle',
      entityCount: 2,
      failures: [],
      lastRun: { trigger: 'startup', outcome: 'completed', documents: { seen: 2, changed: 2 } },
      vectorIndex: { state: 'valid', m: 16, efConstruction: 64, precision: 'full' },
    });

    const answer = await api.post('/api/ask-ai').send({ prompt: 'Who owns payments?' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ found: true, model: 'extractive' });
    expect(answer.body.sources[0].documentChunk).toMatchObject({
      entityId: 'component:default/payments',
      metadata: { source: 'catalog', location: '/catalog/default/component/payments' },
    });
    expect(answer.body.answer).toContain('till');

    const search = await api
      .post('/api/ask-ai/search')
      .send({ query: 'parcel labels', topK: 1, filter: { kinds: ['component'] } });
    expect(search.body.results).toHaveLength(1);
    expect(search.body.results[0].documentChunk.entityId).toBe('component:default/shipping');
  });

  it('exports what is stored, an embedding a line', async () => {
    await start();
    const { vectorCount } = await indexed();
    const exported = await api
      .get('/api/ask-ai/index/export')
      .buffer(true)
      .parse((response, callback) => {
        readText(response as unknown as NodeJS.ReadableStream, callback);
      });
    expect(exported.headers['content-type']).toContain('application/x-ndjson');
    const lines = String(exported.body).trimEnd().split('\n');
    expect(lines).toHaveLength(vectorCount);
    for (const line of lines) {
      const { id, chunkId, vector, documentChunk } = JSON.parse(line);
      expect(documentChunk).toMatchObject({ id: chunkId, metadata: { source: 'catalog' } });
      expect(id).toBe(chunkId);
      expect(vector).toHaveLength(384);
    }
  });

  it('embeds nothing in the run after a restart', async () => {
    await start();
    const before = await indexed();
    await backend.stop();
    await start();
    const after = await finishedRun(({ lastRun }) => lastRun?.id !== before.lastRun?.id);
    expect(after.vectorCount).toBe(before.vectorCount);
    expect(after.lastRun).toMatchObject({
      outcome: 'completed',
      documents: { seen: 2, changed: 0, removed: 0 },
      chunks: { embedded: 0, skipped: before.vectorCount },
    });
  });

  it('says not found, and never invents, when nothing supports an answer', async () => {
    await start();
    await indexed();
    const { body } = await api
      .post('/api/ask-ai')
      .send({ prompt: 'Which wine goes with grilled octopus in Lisbon?' });
    expect(body.found).toBe(false);
    expect(body.answer).toContain('not found');
  });

  it('answers bad input with the reason', async () => {
    await start();
    await indexed();
    const cases: [path: string, body: object, message: RegExp][] = [
      ['/', {}, /Expected prompt to be a question, got nothing/],
      ['/', { prompt: '' }, /Expected prompt to be a question/],
      ['/', { prompt: '  ' }, /Expected prompt to be a question/],
      ['/', { prompt: 'x'.repeat(40_000) }, /Expected prompt to be at most 32768 characters/],
      ['/', { prompt: 'a\0b' }, /NUL/],
      ['/', { prompt: 'why?', unknown: 1 }, /Unknown key unknown/],
      ['/', { prompt: 'why?', topk: 1 }, /did you mean topK\?/],
      ['/', { prompt: 'why?', useRAG: false }, /defaultModel/],
      ['/', { prompt: 'why?', model: 'gpt' }, /no language model is configured/],
      ['/search', { query: 'x', topK: 0 }, /Expected topK to be an integer from 1 to 100, got 0/],
      ['/search', { query: 'x', topK: -1 }, /from 1 to 100, got -1/],
      ['/search', { query: 'x', topK: 1.5 }, /from 1 to 100, got 1.5/],
      ['/search', { query: 'x', topK: 10_000 }, /from 1 to 100, got 10000/],
      ['/search', { query: 'x', mode: 'magic' }, /one of hybrid, vector, keyword/],
      ['/search', { query: 'x', filter: { kind: ['a'] } }, /did you mean filter.kinds\?/],
      ['/search', { query: 'x', entityId: 'no ref at all' }, /entity reference/],
      ['/index/entity', {}, /entityRef/],
    ];
    for (const [path, body, message] of cases) {
      const response = await api.post(`/api/ask-ai${path}`).send(body);
      expect({ path, body, status: response.status }).toEqual({ path, body, status: 400 });
      expect(response.body.error.message).toMatch(message);
    }
    const unknown = await api
      .post('/api/ask-ai/index/entity')
      .send({ entityRef: 'component:default/nobody' });
    expect(unknown.status).toBe(404);
    expect(unknown.body.error.message).toContain('component:default/nobody');
    const malformed = await api
      .post('/api/ask-ai/search')
      .set('content-type', 'application/json')
      .send('{"query"');
    expect(malformed.status).toBe(400);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const unread = await api
        .post('/api/ask-ai/search')
        .set('content-type', type)
        .send('{"query":"payments"}');
      expect(unread.status).toBe(415);
      expect(unread.body.error.message).toBe(
        `Expected the body as JSON, with the header "Content-Type: application/json", got content type ${type}`,
      );
    }
    const empty = await api.post('/api/ask-ai/search').set('content-length', '0');
    expect(empty.status).toBe(400);
    const charset = await api
      .post('/api/ask-ai/search')
      .set('content-type', 'application/json; charset=utf-8')
      .send('{"query":"payments"}');
    expect(charset.status).toBe(200);
  });

  it('asks for a login on everything but /health', async () => {
    await start();
    await indexed();
    const nobody = mockCredentials.none.header();
    for (const [method, path] of [
      ['post', '/'],
      ['post', '/search'],
      ['post', '/index'],
      ['post', '/index/entity'],
      ['delete', '/index/run'],
      ['delete', '/index'],
      ['get', '/index/status'],
    ] as const) {
      const response = await api[method](`/api/ask-ai${path}`).set('authorization', nobody);
      expect({ path, status: response.status }).toEqual({ path, status: 401 });
    }
    const health = await api.get('/api/ask-ai/health').set('authorization', nobody);
    expect(health.status).toBe(200);
    expect(health.body.status).toBe('ok');
  });

  it('indexes one entity, removes it, and cancels', async () => {
    await start();
    await indexed();
    const removed = await api.delete('/api/ask-ai/index').query({ entityId: 'Component:payments' });
    expect(removed.status).toBe(204);
    expect((await api.get('/api/ask-ai/index/status')).body.entityCount).toBe(1);

    const started = await api
      .post('/api/ask-ai/index/entity')
      .send({ entityRef: 'Component:default/Payments' });
    expect(started.status).toBe(202);
    const done = await finishedRun(({ lastRun }) => lastRun?.id === started.body.runId);
    expect(done).toMatchObject({
      entityCount: 2,
      lastRun: { trigger: 'entity', outcome: 'completed', documents: { seen: 1, removed: 0 } },
    });
    const cancelled = await api.delete('/api/ask-ai/index/run');
    expect(cancelled.body).toEqual({ cancelled: false });
  });

  it('marks the run as failed, with URL and remedy, when the model server is down', async () => {
    await start();
    const before = await indexed();
    await backend.stop();
    const ollamaBaseUrl = `http://127.0.0.1:${await freePort()}`;
    await start({ embeddingModel: 'all-minilm', ollamaBaseUrl });
    const after = await finishedRun(({ lastRun }) => lastRun?.id !== before.lastRun?.id);
    expect(after.lastRun?.outcome).toBe('failed');
    expect(after.lastRun?.reason).toContain(ollamaBaseUrl);
    expect(after.lastRun?.reason).toContain('ollama serve');
    expect(after.vectorCount).toBe(before.vectorCount);

    const search = await api.post('/api/ask-ai/search').send({ query: 'payments' });
    expect([502, 503]).toContain(search.status);
    const health = await api.get('/api/ask-ai/health');
    expect(health.status).toBe(503);
    expect(health.body.checks.embeddingModel.message).toContain('ollama serve');
  });
});

/** Supertest reads only the types that it knows as text. */
function readText(
  response: NodeJS.ReadableStream,
  callback: (error: Error | null, body: string) => void,
): void {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', part => {
    text += part;
  });
  response.on('end', () => callback(null, text));
}
