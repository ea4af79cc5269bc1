import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PgVectorStore } from '../services/PgVectorStore';
import { embeddings, entity, ServerStores } from '../testing/serverStores';
import type { DatabaseConnection } from './connection';

const DIMENSIONS = 8;
/** So few that the store does not look, beside this, whether recall is to be measured. */
const ROWS = 4_800;
/** Three or two of them are of the catalog. */
const ROWS_AN_ENTITY = 10;
const DOCUMENTS = 20;

describe('replacing documents in a table that was never analyzed', { timeout: 60_000 }, () => {
  let stores: ServerStores;
  let store: PgVectorStore;
  let connection: DatabaseConnection;

  beforeEach(async () => {
    stores = await ServerStores.create();
    ({ store, connection } = await stores.open({ dimensions: DIMENSIONS, maxConnections: 1 }));
    await stores.query('alter table embeddings set (autovacuum_enabled = false)');
    await store.storeBatch([...embeddings(ROWS, { dimensions: DIMENSIONS })]);
  });

  afterEach(() => stores.close());

  /** Rows that the store read without an index. Whether there is any is one. */
  async function rowsScanned(): Promise<number> {
    await connection.db.execute(sql`select pg_stat_force_next_flush()`);
    const { rows } = await stores.queryOne<{ rows: string }>(
      `select seq_tup_read as rows from pg_stat_user_tables where relname = 'embeddings'`,
    );
    return Number(rows);
  }

  it('finds their chunks by the index and removes just those that are not kept', async () => {
    const rows = [...embeddings(DOCUMENTS * ROWS_AN_ENTITY, { dimensions: DIMENSIONS })];
    const documents = Array.from({ length: DOCUMENTS }, (_, number) => {
      const own = rows.filter(
        ({ documentChunk: { entityId, metadata } }) =>
          entityId === entity(number) && metadata.source === 'techdocs',
      );
      return { entityId: entity(number), own };
    });
    const before = await rowsScanned();
    const { removed } = await store.replaceDocuments(
      documents.map(({ entityId, own }) => ({
        entityId,
        source: 'techdocs',
        fingerprint: '1',
        embedded: own.slice(0, 1),
        kept: own.slice(1, 2).map(({ documentChunk }) => documentChunk),
      })),
    );
    expect((await rowsScanned()) - before).toBeLessThan(ROWS / 10);
    expect(removed).toBe(documents.reduce((sum, { own }) => sum + own.length - 2, 0));
    expect(await store.count()).toBe(ROWS - removed);
    for (const { entityId, own } of documents) {
      expect(await store.chunkIds({ entityId, source: 'techdocs' })).toEqual(
        new Set(own.slice(0, 2).map(({ id }) => id)),
      );
    }
  });
});
