import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { runFile } from '../testing/childProcess';
import { DocumentServer, HttpCollector } from '../testing/DocumentServer';
import { documentsOf } from '../testing/documentGenerations';
import { readIndexedRows } from '../testing/indexedRows';
import type { IndexProcessOptions } from '../testing/indexProcess';
import { TestOllamaServer } from '../testing/ollamaServer';
import { receivedTexts } from '../testing/receivedTexts';
import { endOfRun, openRuntime, TEST_MODEL, TEST_MODEL_DIMENSIONS } from '../testing/testRuntime';

const PROGRAM = resolve(__dirname, '../testing/indexProcess.ts');
const DOCUMENTS = 60;

describe('several backends on one database', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let documents: DocumentServer;
  let embeddings: TestOllamaServer;

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'replicas' });
    documents = await DocumentServer.start();
    embeddings = await TestOllamaServer.start();
    embeddings.models.set(TEST_MODEL, { dimensions: TEST_MODEL_DIMENSIONS });
  });

  afterEach(async () => {
    await documents.close();
    await embeddings.close();
    await database.drop();
  });

  /** Every chunk that is stored was embedded, once, since the server's list was emptied. */
  const assertEmbeddedOnce = async (known: ReadonlySet<string>) => {
    const { rows, documents: records } = await readIndexedRows(database.url);
    const fresh = rows.filter(({ id }) => !known.has(id));
    const texts = receivedTexts(embeddings);
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts).toHaveLength(fresh.length);
    for (const { content } of fresh) {
      expect(texts.filter(text => text.endsWith(content))).toHaveLength(1);
    }
    expect(records.map(({ entityId }) => entityId).toSorted()).toEqual(
      [...documents.documents.keys()].toSorted(),
    );
    embeddings.requests.length = 0;
    return new Set(rows.map(({ id }) => id));
  };

  const assertNoRunIsLeft = async () => {
    expect(
      await query(
        database.url,
        `select state from index_runs where state in ('queued', 'running')`,
      ),
    ).toEqual([]);
    expect(
      await query(database.url, `select reason from index_runs where state <> 'completed'`),
    ).toEqual([]);
  };

  it('do the work once when all are told to index at once, again and again', async () => {
    const open = () =>
      openRuntime({
        databaseUrl: database.url,
        embeddingUrl: embeddings.url,
        collectors: [new HttpCollector(documents.url)],
      });
    const backends = await Promise.all([open(), open(), open()]);
    try {
      let known: ReadonlySet<string> = new Set();
      for (const generation of [1, 2, 3]) {
        documents.documents = documentsOf(generation, DOCUMENTS);
        const asking = Promise.all(
          [...backends, ...backends].map(backend => backend.requestIndex({})),
        );
        // No run ends before all have asked: the first asks for it, the others join it.
        documents.onLoad = async () => {
          await asking;
        };
        const asked = await asking;
        expect(new Set(asked.map(({ runId }) => runId)).size).toBe(1);
        expect(asked.filter(({ joined }) => !joined)).toHaveLength(1);
        for (const backend of backends) {
          const { lastRun, failures } = await endOfRun(backend, asked[0]?.runId ?? '');
          expect(lastRun).toMatchObject({ outcome: 'completed', documents: { seen: DOCUMENTS } });
          expect(failures).toEqual([]);
        }
        known = await assertEmbeddedOnce(known);
      }
      await assertNoRunIsLeft();
    } finally {
      await Promise.all(backends.map(backend => backend.close()));
    }
  });

  it('do the work of a run for one of them that was closed in the middle of it', async () => {
    documents.documents = documentsOf(1, DOCUMENTS);
    const open = () =>
      openRuntime({
        databaseUrl: database.url,
        embeddingUrl: embeddings.url,
        collectors: [new HttpCollector(documents.url)],
      });
    const [first, second] = await Promise.all([open(), open()]);
    try {
      const { runId } = await first.requestIndex({});
      await embeddings.nextRequest();
      await embeddings.nextRequest();
      await first.close();
      const asked = await second.requestIndex({});
      expect(asked.joined).toBe(false);
      expect(asked.runId).not.toBe(runId);
      expect((await endOfRun(second, asked.runId)).lastRun?.outcome).toBe('completed');
      const { documents: records } = await readIndexedRows(database.url);
      expect(records).toHaveLength(DOCUMENTS);
      expect(
        await query(database.url, `select state, reason from index_runs where id = '${runId}'`),
      ).toEqual([{ state: 'cancelled', reason: 'The backend was shut down.' }]);
    } finally {
      await second.close();
    }
  });

  it('do the work once in processes of their own', async () => {
    const options: IndexProcessOptions = {
      databaseUrl: database.url,
      embeddingUrl: embeddings.url,
      documentsUrl: documents.url,
    };
    let known: ReadonlySet<string> = new Set();
    for (const generation of [1, 2]) {
      documents.documents = documentsOf(generation, DOCUMENTS);
      const processes = [1, 2].map(() => runFile(PROGRAM, [JSON.stringify(options)]));
      try {
        for (const { nextLine, ended } of processes) {
          expect(await nextLine()).toBe('started');
          const { lastRun } = JSON.parse(await nextLine());
          expect(lastRun).toMatchObject({ outcome: 'completed', documents: { seen: DOCUMENTS } });
          expect(await ended()).toEqual({ code: 0, stderr: '' });
        }
      } finally {
        await Promise.all(processes.map(({ kill }) => kill()));
      }
      known = await assertEmbeddedOnce(known);
    }
    await assertNoRunIsLeft();
  });
});
