import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IndexStatus } from 'backstage-plugin-ask-ai-common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../tests/services/connect';
import { pollUntil } from '../../../tests/services/poll';
import { freePort } from '../../../tests/services/ports';
import { say } from '../../../tests/services/say';
import { createTestDatabase, type TestDatabase } from '../../../tests/services/testDatabase';
import { type RunningProgram, runFile } from './testing/childProcess';
import { DEV_BACKEND, DEV_TOKEN, devBackendConfig } from './testing/devBackendConfig';
import { TestOllamaServer } from './testing/ollamaServer';
import { countSessions } from './testing/resilientStores';
import { TEST_MODEL, TEST_MODEL_DIMENSIONS } from './testing/testRuntime';

const TIMEOUT_MS = 4_000;
const REQUESTS = 50;
/** Calls of the model after which it no longer answers the run. */
const BATCHES = 12;
/** Of a backend on a machine that is busy with other things. */
const START_MS = 60_000;

describe('a backend that is told to end', { timeout: 180_000 }, () => {
  let database: TestDatabase;
  let embeddings: TestOllamaServer;
  let directory: string;
  let url: string;
  let backend: RunningProgram;

  const call = (path: string, body?: object) =>
    fetch(`${url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${DEV_TOKEN}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });

  const start = async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/api/ask-ai`;
    const file = join(directory, 'config.yaml');
    writeFileSync(file, JSON.stringify(configFor(port)));
    backend = runFile(DEV_BACKEND, ['--config', file], { NODE_ENV: 'development' });
    await pollUntil('A backend that answers', START_MS, async () =>
      (await statusOf().catch(() => undefined)) ? true : undefined,
    );
  };

  const configFor = (port: number) =>
    devBackendConfig(port, {
      shutdownTimeoutMillis: TIMEOUT_MS,
      index: { settleSeconds: 0, sources: { techdocs: false } },
      embeddingModel: TEST_MODEL,
      ollamaBaseUrl: embeddings.url,
      embedding: { batchSize: 2, maxParallelCalls: 1 },
      vectorStore: { type: 'postgresql', postgresql: { connectionString: database.url } },
    });

  const statusOf = async () => (await (await call('/index/status')).json()) as IndexStatus;

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'shutdown' });
    embeddings = await TestOllamaServer.start();
    embeddings.models.set(TEST_MODEL, { dimensions: TEST_MODEL_DIMENSIONS });
    directory = mkdtempSync(join(tmpdir(), 'ask-ai-shutdown-'));
  });

  afterEach(async () => {
    await backend.kill();
    await embeddings.close();
    await database.drop();
    rmSync(directory, { recursive: true });
  });

  it('answers every open request, ends the index run, exits with 0 in time, and goes on at its next start', async () => {
    let batches = 0;
    let answerSome = () => {};
    const isTime = new Promise<void>(done => {
      answerSome = done;
    });
    const never = new Promise<void>(() => {});
    let asked = 0;
    embeddings.beforeAnswer = ({ body }) => {
      const texts = (body?.input as string[] | undefined) ?? [];
      const question = /question (\d+)/.exec(texts[0] ?? '');
      if (question) {
        asked += 1;
        // Half of them are answered after the signal came, the others never.
        return Number(question[1]) % 2 === 0 ? isTime : never;
      }
      batches += 1;
      return batches > BATCHES ? never : undefined;
    };
    await start();
    await pollUntil('A run that waits for the model', START_MS, () =>
      batches > BATCHES ? true : undefined,
    );
    const answers = Array.from({ length: REQUESTS }, (_, number) =>
      call('/search', { query: `question ${number}`, mode: 'vector' }).then(
        async response => ({ status: response.status, body: await response.text() }),
        error => ({ status: 0, body: String(error.cause ?? error) }),
      ),
    );
    await pollUntil('Open requests', START_MS, () => (asked >= REQUESTS ? true : undefined));
    const signalledAt = performance.now();
    process.kill(backend.pid, 'SIGTERM');
    // Until then it is a bad request.
    await pollUntil('A refusal of new requests', TIMEOUT_MS, async () =>
      (await call('/search', {})).status === 503 ? true : undefined,
    );
    answerSome();
    const { code, stderr } = await backend.ended();
    const takenMs = Math.round(performance.now() - signalledAt);
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    const count = (wanted: number) => statuses.filter(status => status === wanted).length;
    say(
      `SIGTERM in a run and with ${REQUESTS} open requests: exit ${code} after ${takenMs} ms, ` +
        `${count(200)} answered 200, ${count(503)} answered 503, ${count(0)} cut`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('Error') });
    expect(takenMs).toBeLessThan(TIMEOUT_MS + 2_000);
    expect({ 200: count(200), 503: count(503) }).toEqual({ 200: REQUESTS / 2, 503: REQUESTS / 2 });
    await pollUntil('The end of all sessions', 10_000, async () =>
      (await countSessions(database.url)) === 0 ? true : undefined,
    );

    const [stored] = await query<{ chunks: string }>(
      database.url,
      'select count(*) as chunks from embeddings',
    );
    embeddings.beforeAnswer = () => undefined;
    await start();
    const resumed = await pollUntil('The run of the next start', START_MS, async () => {
      const status = await statusOf();
      return status.lastRun?.outcome === 'completed' && status.state === 'idle'
        ? status
        : undefined;
    });
    expect(resumed.failures).toEqual([]);
    // What was stored is not embedded again.
    const { embedded, skipped } = resumed.lastRun?.chunks ?? { embedded: 0, skipped: 0 };
    expect(embedded).toBeGreaterThan(0);
    expect({ embedded, skipped }).toEqual({
      embedded: resumed.vectorCount - Number(stored?.chunks),
      skipped: Number(stored?.chunks),
    });
  });
});
