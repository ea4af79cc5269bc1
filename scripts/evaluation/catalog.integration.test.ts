import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { mockServices, startTestBackend } from '@backstage/backend-test-utils';
import type { RankedResult, SearchMode } from 'backstage-plugin-ask-ai-common';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { mulberry32 } from '../../bench/vectors';
import { templateKind } from '../../plugins/ask-ai-backend/dev/templateKind';
import askAiPlugin from '../../plugins/ask-ai-backend/src';
import { pollUntil } from '../../tests/services/poll';
import { createTestDatabase, type TestDatabase } from '../../tests/services/testDatabase';
import { CATALOG_DEPTH, catalogHitRate, evaluateCatalog, formatCatalog } from './catalogEvaluation';
import { type CatalogEntity, catalogQuestions } from './catalogQuestions';

const REPOSITORY = resolve(__dirname, '../..');
const TEAMS = ['atlas', 'breeze', 'cobalt', 'delta', 'ember', 'fjord'];
const SYSTEMS = ['billing', 'catalogue', 'fulfilment', 'loyalty', 'search', 'support'];
const NOUNS = ['api', 'gateway', 'importer', 'scheduler', 'ui', 'worker'];
const TAGS = ['java', 'go', 'python', 'kafka', 'grpc', 'pci', 'experimental', 'public'];

/** A company of six teams: names share their words, as they do in real catalogs. */
function companyCatalog(): string {
  const random = mulberry32(3);
  const some = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)] as T;
  const entity = (kind: string, metadata: object, spec: object) =>
    stringify({ apiVersion: 'backstage.io/v1alpha1', kind, metadata, spec });
  const components = SYSTEMS.flatMap(system => NOUNS.map(noun => `${system}-${noun}`));
  return [
    ...TEAMS.map(team => entity('Group', { name: `team-${team}` }, { type: 'team', children: [] })),
    ...SYSTEMS.flatMap(name => [
      entity('System', { name }, { owner: `team-${some(TEAMS)}` }),
      entity(
        'Resource',
        { name: `${name}-db`, tags: [some(TAGS)] },
        { type: 'database', owner: `team-${some(TEAMS)}`, system: name },
      ),
    ]),
    ...components.map(name => {
      const system = name.split('-')[0];
      return entity(
        'Component',
        { name, tags: [some(TAGS), some(TAGS)], description: `The ${name} of ${system}.` },
        {
          type: some(['service', 'library', 'website']),
          lifecycle: some(['production', 'experimental', 'deprecated']),
          owner: `team-${some(TEAMS)}`,
          system,
          dependsOn: [`resource:${system}-db`, `component:${some(components)}`],
        },
      );
    }),
  ].join('---\n');
}

describe('questions about the catalog', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let folder: string;
  let backend: Awaited<ReturnType<typeof startTestBackend>>;
  let api: ReturnType<typeof request>;
  let entities: CatalogEntity[];

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'ask-ai-catalog-'));
    await writeFile(join(folder, 'company.yaml'), companyCatalog());
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
              rules: [
                {
                  allow: ['API', 'Component', 'Domain', 'Group', 'Location', 'Resource'].concat(
                    'System',
                    'Template',
                    'User',
                  ),
                },
              ],
              locations: [
                { type: 'file', target: resolve(REPOSITORY, 'examples/catalog/all.yaml') },
                { type: 'file', target: resolve(REPOSITORY, 'catalog-info.yaml') },
                { type: 'file', target: join(folder, 'company.yaml') },
              ],
            },
            techdocs: {
              builder: 'external',
              generator: { runIn: 'local' },
              publisher: { type: 'local' },
            },
            askAi: {
              index: { settleSeconds: 2 },
              rateLimit: { searchesPerSecond: 0 },
              vectorStore: { type: 'postgresql', postgresql: { connectionString: database.url } },
            },
          },
        }),
      ],
    });
    api = request(backend.server);
    await pollUntil('The first run', 100_000, async () => {
      const { body } = await api.get('/api/ask-ai/index/status');
      return body.lastRun?.outcome === 'completed' || undefined;
    });
    entities = (await api.get('/api/catalog/entities')).body;
  }, 120_000);

  afterAll(async () => {
    await backend?.stop();
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const search = async (body: { query: string; topK: number; mode: SearchMode }) =>
    (await api.post('/api/ask-ai/search').send(body)).body as { results: RankedResult[] };

  it.each([1, 2])(
    `find the entity among the first ${CATALOG_DEPTH} in 0.95 of 60, also in held-out wordings (draw %i)`,
    async seed => {
      const questions = catalogQuestions(entities, { count: 60, seed });
      expect(new Set(questions.map(({ style }) => style)).size).toBe(9);
      const outcomes = await evaluateCatalog({ search }, questions, 'hybrid');
      const heldOut = outcomes.filter(({ question }) => question.isHeldOut);
      expect(outcomes).toHaveLength(60);
      expect(heldOut.length).toBeGreaterThan(15);
      expect(catalogHitRate(outcomes), formatCatalog(outcomes)).toBeGreaterThanOrEqual(0.95);
      expect(catalogHitRate(heldOut), formatCatalog(heldOut)).toBeGreaterThanOrEqual(0.9);
    },
  );

  it.each([
    ['Who owns payments-api?', 'api:default/payments-api', 'payments-team'],
    ['What depends on auth-db?', 'resource:default/auth-db', 'auth-service'],
  ])('%s', async (query, entityId, named) => {
    const { results } = await search({ query, topK: CATALOG_DEPTH, mode: 'hybrid' });
    const hit = results.find(({ documentChunk }) => documentChunk.entityId === entityId);
    expect(hit?.documentChunk).toMatchObject({
      content: expect.stringContaining(named),
      metadata: { source: 'catalog' },
    });
  });

  it('finds the production services with a tag', async () => {
    const query = 'Which production services are tagged java?';
    const { results } = await search({ query, topK: CATALOG_DEPTH, mode: 'hybrid' });
    const tagged = entities
      .filter(({ spec, metadata }) => {
        const isOne = spec?.type === 'service' && spec.lifecycle === 'production';
        return isOne && metadata.tags?.includes('java');
      })
      .map(({ metadata }) => metadata.name);
    expect(tagged.length).toBeGreaterThan(1);
    const names = results.map(({ documentChunk }) => documentChunk.entityId.split('/')[1]);
    expect(names.filter(name => tagged.includes(name ?? '')).length).toBeGreaterThanOrEqual(2);
  });
});
