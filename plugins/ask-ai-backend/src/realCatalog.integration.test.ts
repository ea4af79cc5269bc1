import { resolve } from 'node:path';
import { mockServices, startTestBackend } from '@backstage/backend-test-utils';
import type { IndexStatus, RankedResult } from 'backstage-plugin-ask-ai-common';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../tests/services/poll';
import { createTestDatabase, type TestDatabase } from '../../../tests/services/testDatabase';
import { templateKind } from '../dev/templateKind';
import askAiPlugin from '.';
import { ALL_KINDS } from './testing/devBackendConfig';

const REPOSITORY = resolve(__dirname, '../../..');

describe('the plugin beside the real catalog and TechDocs', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let backend: Awaited<ReturnType<typeof startTestBackend>>;
  let api: ReturnType<typeof request>;
  let status: IndexStatus;

  beforeAll(async () => {
    database = await createTestDatabase();
    backend = await startTestBackend({
      features: [
        askAiPlugin,
        import('@backstage/plugin-catalog-backend'),
        import('@backstage/plugin-techdocs-backend'),
        templateKind,
        mockServices.rootConfig.factory({
          data: {
            backend: { baseUrl: 'http://localhost:0' },
            catalog: {
              rules: [{ allow: ALL_KINDS }],
              locations: [
                { type: 'file', target: resolve(REPOSITORY, 'examples/catalog/all.yaml') },
                { type: 'file', target: resolve(REPOSITORY, 'catalog-info.yaml') },
              ],
            },
            techdocs: {
              builder: 'external',
              generator: { runIn: 'local' },
              publisher: { type: 'local' },
            },
            askAi: {
              index: { settleSeconds: 2 },
              vectorStore: { type: 'postgresql', postgresql: { connectionString: database.url } },
            },
          },
        }),
      ],
    });
    api = request(backend.server);
    status = await pollUntil('The first run', 100_000, async () => {
      const { body } = await api.get('/api/ask-ai/index/status');
      return body.lastRun ? body : undefined;
    });
  }, 120_000);

  afterAll(async () => {
    await backend?.stop();
    await database.drop();
  });

  const search = async (query: string): Promise<RankedResult[]> =>
    (await api.post('/api/ask-ai/search').send({ query })).body.results;

  it('indexes the sample catalog, but neither locations nor users', async () => {
    expect(status.lastRun).toMatchObject({ trigger: 'startup', outcome: 'completed' });
    expect(status.failures).toEqual([]);
    const results = await search('who is a member of a team');
    expect(results.map(({ documentChunk }) => documentChunk.entityId)).not.toContainEqual(
      expect.stringMatching(/^(location|user):/),
    );
  });

  it('answers from the documentation of this project, with a deep link', async () => {
    const { body } = await api
      .post('/api/ask-ai')
      .send({ prompt: 'How do I roll back a migration?' });
    expect(body.found).toBe(true);
    expect(body.sources[0].documentChunk).toMatchObject({
      entityId: 'component:default/ask-ai',
      metadata: {
        source: 'techdocs',
        location: expect.stringMatching(/^\/docs\/default\/component\/ask-ai\/.+#/),
      },
    });
  });

  it('finds an entity by what it depends on', async () => {
    const [first] = await search('What depends on auth-db?');
    expect(first?.documentChunk.content).toContain('auth-db');
    expect(first?.documentChunk.metadata.source).toBe('catalog');
  });
});
