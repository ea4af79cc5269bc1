import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../../tests/services/connect';
import { pollUntil } from '../../../../../tests/services/poll';
import { createTestDatabase, type TestDatabase } from '../../../../../tests/services/testDatabase';
import type { PgVectorStore } from '../../services/PgVectorStore';
import {
  contentsIn,
  contentsOf,
  DIMENSIONS,
  openStore,
  row,
  rows,
} from '../../testing/loadFixtures';

/** Enough for a machine with much else to do, in milliseconds. */
const DEADLINE_MS = 60_000;

const OLD = rows(20, 'row', 'old');
const NEW = rows(100, 'row', 'new');

const INSERT = (id: string, content: string) => `
  insert into embeddings (id, chunk_id, entity_id, entity_name, vector, content, source, chunk_index,
    total_chunks, content_hash, vector_hash)
  values ('${id}', '${id}', 'component:default/e0', 'E', '[1,0,0,0,0,0,0,0]', '${content}', 'techdocs', 0, 1, 'x', 'x')`;

describe('what others do to the table while it is loaded', { timeout: 2 * DEADLINE_MS }, () => {
  let database: TestDatabase;
  let store: PgVectorStore;

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'capture' });
    store = await openStore(database.url, { dimensions: DIMENSIONS });
  });

  afterEach(async () => {
    await store.close();
    await database.drop();
  });

  /** Replaces what is stored, and works in the middle of it. */
  async function replaceAll(loaded: EmbeddingVector[], work: () => Promise<unknown>) {
    async function* stream() {
      yield* loaded.slice(0, loaded.length / 2);
      await work();
      yield* loaded.slice(loaded.length / 2);
    }
    await store.replaceAll(stream());
    return contentsOf(store);
  }

  async function waitingMode(): Promise<string> {
    return pollUntil('the load waits for the table', DEADLINE_MS, async () => {
      const [found] = await query<{ mode: string }>(
        database.url,
        `select mode from pg_locks where relation = 'embeddings'::regclass and not granted`,
      );
      return found?.mode;
    });
  }

  async function beginTransaction(...statements: string[]): Promise<Client> {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    for (const statement of ['begin', ...statements]) {
      await client.query(statement);
    }
    return client;
  }

  it.each<[string, string[], (contents: Map<string, string>) => void]>([
    [
      'TRUNCATE',
      ['truncate embeddings', INSERT('after', 'sql')],
      contents => {
        contents.clear();
        contents.set('after', 'sql');
      },
    ],
    [
      'an UPDATE of ids',
      [`update embeddings set id = 'moved' where id = 'row-00003'`],
      contents => {
        contents.delete('row-00003');
        contents.set('moved', 'old');
      },
    ],
    [
      'ids that change places',
      [
        `update embeddings set id = 'x' where id = 'row-00001'`,
        `update embeddings set id = 'row-00001', content = 'place' where id = 'row-00002'`,
        `update embeddings set id = 'row-00002' where id = 'x'`,
      ],
      contents => {
        contents.set('row-00001', 'place');
        contents.set('row-00002', 'old');
      },
    ],
    ['an INSERT that is rolled back', ['begin', INSERT('never', 'sql'), 'rollback'], () => {}],
    [
      'a DELETE and an INSERT of the same id',
      [`delete from embeddings where id = 'row-00004'`, INSERT('row-00004', 'sql')],
      contents => {
        contents.set('row-00004', 'sql');
      },
    ],
  ])('is in the result when it is %s', async (_, statements, change) => {
    await store.storeBatch(OLD);
    const expected = contentsIn(NEW);
    change(expected);
    expect(await replaceAll(NEW, () => query(database.url, ...statements))).toEqual(expected);
  });

  it.each(['repeatable read', 'serializable'])(
    'is in the result when all sessions of the database are %s',
    async isolation => {
      await store.close();
      await query(
        database.url,
        `alter database ${database.name} set default_transaction_isolation = '${isolation}'`,
      );
      store = await openStore(database.url);
      await store.storeBatch(OLD);
      const key = { entityId: 'component:default/e1', source: 'techdocs' as const };
      const chunk = row('chunk', 'chunk', key.entityId);
      const contents = await replaceAll(NEW, async () => {
        await store.store(row('row-00005', 'stored'));
        await store.clear('component:default/e2');
        await store.replaceDocuments([{ ...key, fingerprint: '1', embedded: [chunk], kept: [] }]);
      });
      const kept = NEW.filter(({ id }) => !/[12]$/.test(id));
      expect(contents).toEqual(contentsIn(kept, [row('row-00005', 'stored'), chunk]));
      await store.clear();
      const loaded = rows(1_500, 'loaded');
      await store.storeAll(loaded);
      expect(await contentsOf(store)).toEqual(contentsIn(loaded));
    },
  );

  it('keeps what a transaction writes that began before a stream into the empty table, and ends after', async () => {
    const writer = await beginTransaction(INSERT('written', 'sql'));
    const loaded = rows(1_500, 'loaded');
    const loading = store.storeAll(loaded);
    expect(await waitingMode()).toBe('ShareRowExclusiveLock');
    await writer.query('commit');
    await writer.end();
    await loading;
    expect(await contentsOf(store)).toEqual(contentsIn(loaded, [row('written', 'sql')]));
  });

  it('does not wait for a transaction that has written to the empty table and does not end', async () => {
    const writer = await beginTransaction(INSERT('written', 'sql'));
    const loaded = rows(1_500, 'loaded');
    await store.storeAll(loaded);
    expect(await contentsOf(store)).toEqual(contentsIn(loaded));
    await writer.query('commit');
    await writer.end();
    expect(await store.count()).toBe(loaded.length + 1);
  });

  it('keeps what a transaction writes that reads and writes on while the load wants to end', async () => {
    await store.storeBatch(OLD);
    let writer: Client | undefined;
    const loading = replaceAll(NEW, async () => {
      writer = await beginTransaction('select * from embeddings', INSERT('early', 'sql'));
    });
    expect(await waitingMode()).toBe('AccessExclusiveLock');
    // It has read the table, and writes to it with the load in the queue.
    await writer?.query(INSERT('late', 'sql'));
    await writer?.query('commit');
    await writer?.end();
    expect(await loading).toEqual(contentsIn(NEW, [row('early', 'sql'), row('late', 'sql')]));
  });

  it('takes over thousands of changes', async () => {
    await store.storeBatch(OLD);
    const written = rows(3_000, 'written');
    const contents = await replaceAll(NEW, () => store.storeBatch(written));
    expect(contents).toEqual(contentsIn(NEW, written));
  });
});
