import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../tests/services/poll';
import { embeddings, ServerStores } from '../testing/serverStores';

const ROWS = 250;
const DIMENSIONS = 8;
const STATISTICS_MS = 30_000;
const WAIT_MS = 30_000;

const rows = (count = ROWS, first = 0) => [...embeddings(count, { dimensions: DIMENSIONS, first })];

function withContent(row: EmbeddingVector, content: string): EmbeddingVector {
  return { ...row, documentChunk: { ...row.documentChunk, content } };
}

describe('a batch', { timeout: 120_000 }, () => {
  let stores: ServerStores;

  beforeEach(async () => {
    stores = await ServerStores.create();
  });

  afterEach(() => stores.close());

  /** Where each row lies and who wrote it, which an UPDATE changes even when it changes nothing else. */
  async function versions(): Promise<Map<string, string>> {
    const found = await stores.query<{ id: string; version: string }>(
      `select id, xmin::text || ' ' || ctid::text || ' ' || updated_at::text as version from embeddings`,
    );
    return new Map(found.map(({ id, version }) => [id, version]));
  }

  const changed = (before: Map<string, string>, after: Map<string, string>) =>
    [...after].filter(([id, version]) => before.get(id) !== version).map(([id]) => id);

  /** Rows written since the statistics were last reset. */
  const written = () =>
    stores.queryOne<{ inserted: string; updated: string }>(
      `select n_tup_ins as inserted, n_tup_upd as updated
       from pg_stat_user_tables where relname = 'embeddings'`,
    );

  it('leaves rows untouched that do not change, also where others of it do', async () => {
    const { store, connection } = await stores.open({ dimensions: DIMENSIONS, maxConnections: 2 });
    await store.storeBatch(rows());
    const first = await versions();

    await store.storeBatch(rows());
    expect(changed(first, await versions())).toEqual([]);

    const batch = rows(ROWS + 2);
    batch[7] = withContent(batch[7] as EmbeddingVector, 'Another text.');
    batch[200] = { ...(batch[200] as EmbeddingVector), vector: [1, 2, 3, 4, 5, 6, 7, 8] };
    await store.storeBatch(batch);
    expect(changed(first, await versions()).sort()).toEqual([
      'chunk-200',
      `chunk-${ROWS}`,
      `chunk-${ROWS + 1}`,
      'chunk-7',
    ]);
    await pollUntil('the statistics', STATISTICS_MS, async () => {
      await connection.db.execute(sql`select pg_stat_force_next_flush()`);
      const { inserted, updated } = await written();
      const isComplete = Number(inserted) + Number(updated) >= ROWS + 4;
      if (isComplete) {
        expect({ inserted, updated }).toEqual({ inserted: String(ROWS + 2), updated: '2' });
      }
      return isComplete || undefined;
    });

    // As often as it comes.
    const latest = await versions();
    await store.storeBatch([...batch, ...batch]);
    await store.storeAll(batch);
    expect(changed(latest, await versions())).toEqual([]);
  });

  it('that meets others over the same rows waits for them, or begins anew', async () => {
    const { store } = await stores.open({ dimensions: DIMENSIONS });
    const { store: replica } = await stores.open({ migrate: false });
    const old = rows(40).map(row => ({ ...row, id: `old-${row.id}` }));
    await store.storeBatch(old);
    for (let round = 1; round <= 20; round++) {
      const added = rows(40, 40 * round).map(row => ({ ...row, id: `new-${row.id}` }));
      // Where only some of the rows change, those that are there are locked first, and the others written
      // after; where all of them change, in the order of their ids: that way, two can wait for each other.
      const batch = (text: string, isChanged: (position: number) => boolean) =>
        [...added, ...old].map((row, position) =>
          isChanged(position) ? withContent(row, `${text} ${round}`) : row,
        );
      await Promise.all([
        store.storeBatch(batch('One', () => true)),
        replica.storeBatch(batch('Other', position => position < 60).reverse()),
        store.storeBatch(batch('Third', position => position < 60)),
        replica.storeBatch(batch('Fourth', () => true)),
      ]);
      // One of them came last, as a whole.
      const contents = await stores.query<{ content: string }>(
        `select distinct content from embeddings where id like 'new-%' and content like $1`,
        [`% ${round}`],
      );
      expect(contents).toHaveLength(1);
    }
    expect(await store.count()).toBe(40 + 20 * 40);
  });

  it('that PostgreSQL ends to resolve a deadlock is written anew', async () => {
    // Time for the other session to begin to wait, before PostgreSQL looks who waits for whom.
    await stores.setForAll('deadlock_timeout', '3s');
    const { store } = await stores.open({ dimensions: DIMENSIONS });
    await store.storeBatch(rows(2));
    const update = (id: string) =>
      stores.query(`update embeddings set content = 'Of the other' where id = $1`, [id]);
    await stores.query(`set deadlock_timeout = '60s'`);
    await stores.query('begin');
    await update('chunk-1');
    const storing = store.storeBatch(rows(2).map(row => withContent(row, 'Of the batch')));
    await pollUntil('a batch that waits', WAIT_MS, async () => {
      const waiting = await stores.query(`select from pg_locks where not granted`);
      return waiting.length > 0 || undefined;
    });
    await update('chunk-0');
    await stores.query('commit');
    await storing;
    expect(await stores.query('select distinct content from embeddings')).toEqual([
      { content: 'Of the batch' },
    ]);
    const { deadlocks } = await stores.queryOne<{ deadlocks: string }>(
      'select deadlocks from pg_stat_database where datname = current_database()',
    );
    expect(Number(deadlocks)).toBeGreaterThan(0);
  });
});
