import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { PgVectorStore } from '../services/PgVectorStore';
import { DocumentServer, HttpCollector } from '../testing/DocumentServer';
import { documentsOf } from '../testing/documentGenerations';
import { readIndexedRows } from '../testing/indexedRows';
import { silent } from '../testing/loadFixtures';
import { TestOllamaServer } from '../testing/ollamaServer';
import {
  openRuntime,
  runToItsEnd,
  silentLogger,
  TEST_MODEL,
  TEST_MODEL_DIMENSIONS,
} from '../testing/testRuntime';

const DOCUMENTS = 30;

/** What a newer version's migrations do that only add: this version knows nothing of it. */
const NEWER_MIGRATION = [
  'begin',
  `alter table embeddings add column language text default 'en'`,
  'create index embeddings_language_idx on embeddings (language)',
  'alter table indexed_documents add column reader_roles text[]',
  'alter table index_runs add column priority integer default 0',
  'create table document_permissions (entity_id text primary key, roles text[] not null)',
  `insert into ask_ai_migrations (hash, created_at)
   select 'of a newer version', 1 + max(created_at) from ask_ai_migrations`,
  'commit',
];

describe('this version on a database that a newer one has migrated', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let documents: DocumentServer;
  let embeddings: TestOllamaServer;

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'upgraded' });
    documents = await DocumentServer.start(documentsOf(1, DOCUMENTS));
    embeddings = await TestOllamaServer.start();
    embeddings.models.set(TEST_MODEL, { dimensions: TEST_MODEL_DIMENSIONS });
  });

  afterEach(async () => {
    await documents.close();
    await embeddings.close();
    await database.drop();
  });

  const open = () =>
    openRuntime({
      databaseUrl: database.url,
      embeddingUrl: embeddings.url,
      collectors: [new HttpCollector(documents.url)],
      logger: { ...silentLogger(), warn: message => warnings.push(message) },
    });
  const warnings: string[] = [];

  const openStore = () =>
    PgVectorStore.create({ postgresql: { connectionString: database.url }, logger: silent });

  /** As the newer version does, for all that is there. */
  const writeNewColumn = () => query(database.url, `update embeddings set language = 'de'`);

  const languages = async () => {
    const rows = await query<{ language: string; count: number }>(
      database.url,
      'select language, count(*)::int as count from embeddings group by language',
    );
    return new Map(rows.map(({ language, count }) => [language, count]));
  };

  it('goes on indexing and searching, before and after a restart, and migrates nothing', async () => {
    const running = await open();
    try {
      expect((await runToItsEnd(running)).lastRun).toMatchObject({ outcome: 'completed' });
      await running.search({ query: 'who is on call' });
      await query(database.url, ...NEWER_MIGRATION);
      await writeNewColumn();
      const journal = await query(database.url, 'select * from ask_ai_migrations order by id');

      documents.documents = documentsOf(2, DOCUMENTS);
      const { lastRun, failures } = await runToItsEnd(running);
      expect(lastRun).toMatchObject({ outcome: 'completed', documents: { seen: DOCUMENTS } });
      expect(failures).toEqual([]);
      expect(lastRun?.chunks.embedded).toBeGreaterThan(0);
      // New rows have what the newer version takes when nothing is said; the others keep theirs.
      const { rows } = await readIndexedRows(database.url);
      const newRows = lastRun?.chunks.embedded ?? 0;
      expect(await languages()).toEqual(
        new Map([
          ['de', rows.length - newRows],
          ['en', newRows],
        ]),
      );
      for (const mode of ['hybrid', 'vector', 'keyword'] as const) {
        expect(await running.search({ query: 'who is on call', mode })).toHaveLength(5);
      }

      const restarted = await open();
      try {
        documents.documents = documentsOf(3, DOCUMENTS);
        expect((await runToItsEnd(restarted)).lastRun).toMatchObject({ outcome: 'completed' });
        expect(await restarted.search({ query: 'who is on call' })).toHaveLength(5);
        expect((await restarted.health()).status).toBe('ok');
        expect(await query(database.url, 'select * from ask_ai_migrations order by id')).toEqual(
          journal,
        );
        const [first] = documents.documents.keys();
        await restarted.clear(first);
        await restarted.clear();
        expect((await restarted.status()).vectorCount).toBe(0);
        expect((await runToItsEnd(restarted)).lastRun).toMatchObject({ outcome: 'completed' });
        expect((await restarted.status()).entityCount).toBe(DOCUMENTS);
      } finally {
        await restarted.close();
      }
      expect(warnings).toEqual([]);
    } finally {
      await running.close();
    }
  });

  it('rebuilds its index, and loads, without losing the new column or the index on it', async () => {
    const running = await open();
    const store = await openStore();
    try {
      await runToItsEnd(running);
      await query(database.url, ...NEWER_MIGRATION);
      await writeNewColumn();
      const count = await store.count();

      await store.index.rebuild({ m: 8 });
      expect(await store.vectorIndex()).toMatchObject({ state: 'valid', m: 8 });
      expect(await languages()).toEqual(new Map([['de', count]]));

      const all = await listed(store.export());
      const records = await listed(store.documents());
      expect(await store.replaceAll(all, { documents: () => records })).toMatchObject({
        received: count,
      });
      // A load replaces all rows, and this version has nothing to say of the new column.
      expect(await languages()).toEqual(new Map([['en', count]]));
      expect(
        await query(
          database.url,
          `select indexname as name from pg_indexes where tablename = 'embeddings' and indexname like '%language%'`,
        ),
      ).toEqual([{ name: 'embeddings_language_idx' }]);
      expect(
        await query(
          database.url,
          `select column_default as "default" from information_schema.columns
           where table_name = 'embeddings' and column_name = 'language'`,
        ),
      ).toEqual([{ default: `'en'::text` }]);

      // Nothing is to be done for what was loaded, and what comes is indexed as ever.
      expect((await runToItsEnd(running)).lastRun?.chunks).toMatchObject({
        embedded: 0,
        skipped: count,
      });
      documents.documents = documentsOf(2, DOCUMENTS);
      expect((await runToItsEnd(running)).lastRun).toMatchObject({ outcome: 'completed' });
      expect(await running.search({ query: 'who is on call' })).toHaveLength(5);
    } finally {
      await store.close();
      await running.close();
    }
  });
});

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) {
    list.push(item);
  }
  return list;
}
