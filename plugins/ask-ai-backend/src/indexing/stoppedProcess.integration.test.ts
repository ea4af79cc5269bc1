import { resolve } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { pollUntil } from '../../../../tests/services/poll';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { type RunningProgram, runFile } from '../testing/childProcess';
import { DocumentServer, HttpCollector } from '../testing/DocumentServer';
import { documentsOf } from '../testing/documentGenerations';
import { readIndexedRows } from '../testing/indexedRows';
import type { IndexProcessOptions } from '../testing/indexProcess';
import { TestOllamaServer } from '../testing/ollamaServer';
import { openRuntime, TEST_MODEL, TEST_MODEL_DIMENSIONS } from '../testing/testRuntime';

const PROGRAM = resolve(__dirname, '../testing/indexProcess.ts');
const DOCUMENTS = 40;

describe('a process that is stopped in the middle of a run', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let documents: DocumentServer;
  /** Of the process that is stopped, and of the backend that takes over. */
  let embeddings: TestOllamaServer;
  let stopped: RunningProgram;

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'stopped' });
    documents = await DocumentServer.start(documentsOf(1, DOCUMENTS));
    embeddings = await TestOllamaServer.start();
    embeddings.models.set(TEST_MODEL, { dimensions: TEST_MODEL_DIMENSIONS });
    const options: IndexProcessOptions = {
      databaseUrl: database.url,
      embeddingUrl: embeddings.url,
      documentsUrl: documents.url,
    };
    stopped = runFile(PROGRAM, [JSON.stringify(options)]);
  });

  afterEach(async () => {
    await stopped.kill();
    await documents.close();
    await embeddings.close();
    await database.drop();
  });

  /** Instead of waiting until it is true: nobody but the database knows how long it was. */
  const silentForTooLong = () =>
    query(
      database.url,
      `update index_runs set heartbeat_at = now() - interval '1 minute' where state = 'running'`,
    );

  const takeOver = async () => {
    documents.documents = documentsOf(2, DOCUMENTS);
    const other = await openRuntime({
      databaseUrl: database.url,
      embeddingUrl: embeddings.url,
      collectors: [new HttpCollector(documents.url)],
    });
    try {
      await silentForTooLong();
      // The run that is asked for joins the one of the stopped process, which is done anew.
      await other.requestIndex({});
      await pollUntil('The end of the run that was taken over', 60_000, async () => {
        const { state, lastRun } = await other.status();
        return (state === 'idle' && lastRun?.outcome === 'completed') || undefined;
      });
      return await readIndexedRows(database.url);
    } finally {
      await other.close();
    }
  };

  const assertItGaveUp = async (before: Awaited<ReturnType<typeof readIndexedRows>>) => {
    // It ends when it has found that its run is over, and prints how the last run went.
    expect(await stopped.nextLine()).toBe('started');
    expect(JSON.parse(await stopped.nextLine()).lastRun).toMatchObject({ outcome: 'completed' });
    expect(await stopped.ended()).toEqual({ code: 0, stderr: '' });
    expect(await readIndexedRows(database.url)).toEqual(before);
    expect(
      await query(database.url, 'select state, reason from index_runs order by started_at'),
    ).toEqual([
      { state: 'failed', reason: 'The process that did the work was killed.' },
      { state: 'completed', reason: null },
    ]);
  };

  it('does not write what it had embedded when another has taken over its run', async () => {
    const held: Promise<unknown>[] = [];
    let answer = () => {};
    const isAnswered = new Promise<void>(resolve => {
      answer = resolve;
    });
    let batches = 0;
    embeddings.beforeAnswer = ({ body, closed }) => {
      batches += Array.isArray(body?.input) && body.input.length > 1 ? 1 : 0;
      if (batches > 6) {
        held.push(closed);
        return isAnswered;
      }
      return undefined;
    };
    // It waits for a whole batch of documents, which it would write with the answers.
    await pollUntil('two calls that wait', 60_000, () => held.length === 2 || undefined);
    process.kill(stopped.pid, 'SIGSTOP');
    embeddings.beforeAnswer = () => {};
    answer();
    // The answers lie in its sockets.
    expect(await Promise.all(held)).toEqual([{ early: false }, { early: false }]);
    const indexed = await takeOver();
    expect(indexed.documents).toHaveLength(DOCUMENTS);
    // Its heartbeat, which would tell it, gets no answer for a while.
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query('begin');
      await client.query('lock table index_runs in access exclusive mode');
      process.kill(stopped.pid, 'SIGCONT');
      await pollUntil('two questions that wait', 60_000, async () =>
        (await waitingQuestions()) >= 2 ? true : undefined,
      );
      await client.query('rollback');
    } finally {
      await client.end();
    }
    await assertItGaveUp(indexed);
  });

  const waitingQuestions = async (): Promise<number> => {
    const waiting = await query(
      database.url,
      `select 1 from pg_locks where relation = 'index_runs'::regclass and not granted`,
    );
    return waiting.length;
  };
});
