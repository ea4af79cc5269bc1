import { mockServices, startTestBackend } from '@backstage/backend-test-utils';
import type { Entity } from '@backstage/catalog-model';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import type { IndexStatus } from 'backstage-plugin-ask-ai-common';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../tests/services/poll';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import askAiPlugin from '..';
import { DocumentServer, HttpCollector } from '../testing/DocumentServer';
import { documentsOf } from '../testing/documentGenerations';
import { readIndexedRows, withoutVersions } from '../testing/indexedRows';
import { type Fault, type TestModelServer, wrongEmbeddings } from '../testing/modelServer';
import { TestOllamaServer } from '../testing/ollamaServer';
import { TestOpenAiServer } from '../testing/openAiServer';
import {
  openRuntime,
  runToItsEnd,
  TEST_MODEL,
  TEST_MODEL_DIMENSIONS,
} from '../testing/testRuntime';

/** How long a call may take, in milliseconds: a busy machine answers within it. */
const TIMEOUT_MS = 2_500;

interface FaultCase {
  /** Also the name of the entity that is poisoned with it. */
  name: string;
  fault: Fault;
  /** What the failure says. */
  says: RegExp;
}

const FAULTS: FaultCase[] = [
  {
    name: 'too-many-requests',
    fault: { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
    says: /answered 429: as scripted/,
  },
  {
    name: 'internal-error',
    fault: { kind: 'status', status: 500, body: { error: 'out of memory' } },
    says: /answered 500: out of memory/,
  },
  { name: 'hangs', fault: { kind: 'hang' }, says: /gave no answer within 2500 ms/ },
  { name: 'closed', fault: { kind: 'close' }, says: /broke off/ },
  { name: 'closed-midway', fault: { kind: 'closeMidway' }, says: /broke off/ },
  { name: 'bad-json', fault: { kind: 'text', body: '{"data": [' }, says: /not valid JSON/ },
  { name: 'wrong-count', fault: wrongEmbeddings.count, says: /\d+ embeddings for \d+ text/ },
  {
    name: 'wrong-dimension',
    fault: wrongEmbeddings.everyDimension,
    says: /expected 24 dimensions, got 23/,
  },
  { name: 'no-number', fault: wrongEmbeddings.null, says: /not a (finite )?number/ },
  { name: 'not-finite', fault: wrongEmbeddings.NaN, says: /not a finite number|not valid JSON/ },
  { name: 'only-zeros', fault: wrongEmbeddings.zeros, says: /nothing but zeros/ },
];

const PROTOCOLS = {
  ollama: async () => withModel(await TestOllamaServer.start()),
  openai: async () => withModel(await TestOpenAiServer.start()),
};

function withModel<Server extends TestOllamaServer | TestOpenAiServer>(server: Server): Server {
  server.models.set(TEST_MODEL, { dimensions: TEST_MODEL_DIMENSIONS });
  return server;
}

function component(name: string): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: { name, namespace: 'default', description: `What is to be known of ${name}.` },
    spec: { type: 'service', lifecycle: 'production', owner: 'group:default/depot' },
  };
}

describe.each(Object.entries(PROTOCOLS))(
  'an index with a faulty server of %s',
  (protocol, start) => {
    let database: TestDatabase;
    let server: TestModelServer;

    beforeEach(async () => {
      database = await createTestDatabase({ name: 'faulty' });
      server = await start();
    });

    afterEach(async () => {
      await server.close();
      await database.drop();
    });

    it('names every document that the server fails for in the status, and indexes the others', async () => {
      for (const { name, fault } of FAULTS) {
        server.fail(fault, {
          times: Number.POSITIVE_INFINITY,
          when: ({ body }) => JSON.stringify(body).includes(`to be known of ${name}.`),
        });
      }
      const healthy = Array.from({ length: 9 }, (_, index) => `healthy-${index}`);
      const names = FAULTS.flatMap(({ name }, index) => [name, healthy[index] ?? []].flat());
      const backend = await startTestBackend({
        features: [
          askAiPlugin,
          catalogServiceMock.factory({ entities: names.map(component) }),
          mockServices.rootConfig.factory({
            data: {
              backend: { baseUrl: 'http://localhost:0' },
              askAi: {
                embeddingModel: TEST_MODEL,
                embedding: {
                  provider: protocol,
                  batchSize: 2,
                  maxParallelCalls: 8,
                  timeoutMs: TIMEOUT_MS,
                },
                ollamaBaseUrl: server.url,
                openai: { baseUrl: `${server.url}/v1` },
                index: { settleSeconds: 0, sources: { techdocs: false } },
                vectorStore: { type: 'postgresql', postgresql: { connectionString: database.url } },
              },
            },
          }),
        ],
      });
      try {
        const status = await pollUntil('The first run', 200_000, async () => {
          const { body } = await request(backend.server).get('/api/ask-ai/index/status');
          return body.lastRun ? (body as IndexStatus) : undefined;
        });
        expect(status.lastRun).toMatchObject({
          outcome: 'completed',
          documents: { seen: names.length, changed: healthy.length, failed: FAULTS.length },
        });
        const failures = status.failures.toSorted((a, b) => (a.entityId < b.entityId ? -1 : 1));
        expect(failures).toEqual(
          FAULTS.map(({ name, says }) => ({
            entityId: `component:default/${name}`,
            source: 'catalog',
            reason: expect.stringMatching(says),
          })).toSorted((a, b) => (a.entityId < b.entityId ? -1 : 1)),
        );
        const { rows, documents } = await readIndexedRows(database.url);
        const entityIds = healthy.map(name => `component:default/${name}`);
        expect(documents.map(({ entityId }) => entityId)).toEqual(entityIds);
        expect([...new Set(rows.map(({ entityId }) => entityId))].toSorted()).toEqual(entityIds);
      } finally {
        await backend.stop();
      }
    }, 240_000);
  },
);

describe('an index whose server breaks down', () => {
  it.concurrent.each(Object.keys(PROTOCOLS) as (keyof typeof PROTOCOLS)[])(
    'fails with the reason, loses nothing, and is made whole by the next run (%s)',
    async protocol => {
      // All at once: most of the time is spent waiting for the next attempt.
      await Promise.all(FAULTS.map(fault => breakDown(protocol, fault)));
    },
    240_000,
  );
});

async function breakDown(
  protocol: keyof typeof PROTOCOLS,
  { name, fault, says }: FaultCase,
): Promise<void> {
  const database = await createTestDatabase({ name });
  const documents = await DocumentServer.start(documentsOf(1, 12));
  const server = await PROTOCOLS[protocol]();
  const runtime = await openRuntime({
    databaseUrl: database.url,
    embeddingUrl: server.url,
    protocol,
    collectors: [new HttpCollector(documents.url)],
    askAi: { embedding: { timeoutMs: TIMEOUT_MS } },
  });
  try {
    expect((await runToItsEnd(runtime)).lastRun, name).toMatchObject({ outcome: 'completed' });
    const before = await readIndexedRows(database.url);

    let isBroken = true;
    server.fail(fault, { times: Number.POSITIVE_INFINITY, when: () => isBroken });
    documents.documents = documentsOf(2, 12);
    const { lastRun, failures } = await runToItsEnd(runtime);
    expect(lastRun, name).toMatchObject({
      outcome: 'failed',
      reason: expect.stringMatching(says),
      documents: { changed: 0, removed: 0 },
    });
    expect(failures, name).toEqual([]);
    expect(await readIndexedRows(database.url), name).toEqual(before);

    isBroken = false;
    expect((await runToItsEnd(runtime)).lastRun, name).toMatchObject({ outcome: 'completed' });
    const after = withoutVersions(await readIndexedRows(database.url));
    expect(
      after.documents.map(({ entityId }) => entityId),
      name,
    ).toEqual([...documents.documents.keys()]);
  } finally {
    await runtime.close();
    await server.close();
    await documents.close();
    await database.drop();
  }
}
