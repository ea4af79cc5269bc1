import type { EmbeddingSpace } from 'backstage-plugin-ask-ai-node';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { pollUntil } from '../../../../tests/services/poll';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { PgVectorStore, type PgVectorStoreOptions } from '../services/PgVectorStore';
import { rows, silent } from '../testing/loadFixtures';
import {
  describeSchema,
  insertedRows,
  insertRows,
  leaveLoad,
  MigrationsCopy,
} from '../testing/migrationFixtures';
import { type DatabaseConnection, selectRows } from './connection';
import { migrate } from './migrator';
import { openPostgresConnection } from './postgresConnection';
import { rollback } from './rollback';

const SPACE: EmbeddingSpace = { provider: 'p', model: 'm', dimensions: 8, chunkerVersion: 1 };

/** In the default schema, and in one of a search path, with a name that must be quoted. */
describe.each([undefined, 'Ask "AI"'])('rollback in schema %s', { timeout: 120_000 }, schema => {
  let database: TestDatabase;
  let connection: DatabaseConnection;
  let migrations: MigrationsCopy;
  let all: number;

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'rollback' });
    if (schema !== undefined) {
      await query(database.url, `create schema "${schema.replaceAll('"', '""')}"`);
    }
    connection = connect();
    migrations = new MigrationsCopy();
    all = migrations.entries.length;
  });

  afterEach(async () => {
    migrations.dispose();
    await connection.close();
    await database.drop();
  });

  function connect(): DatabaseConnection {
    return openPostgresConnection(
      { connectionString: database.url, schema, maxConnections: 2 },
      silent,
    );
  }

  async function fill(options: Partial<PgVectorStoreOptions> = {}): Promise<void> {
    const store = await PgVectorStore.create({ connection: connect(), logger: silent, ...options });
    await store.useEmbeddingSpace({ ...SPACE, dimensions: store.dimensions });
    await store.close();
  }

  const applied = async (): Promise<number> =>
    (await selectRows(connection.db, sql`select from ask_ai_migrations`)).length;

  it('undoes all of it, and then makes the same again', async () => {
    const nothing = await describeSchema(connection.db);
    expect(await migrate(connection)).toBe(all);
    const everything = await describeSchema(connection.db);
    const report = await rollback(connection, { count: all });
    expect(report).toMatchObject({ lost: [], remaining: 0 });
    expect(report.undone).toEqual(migrations.entries.map(({ tag }) => tag).reverse());
    expect(await describeSchema(connection.db)).toEqual(nothing);
    expect(nothing).toEqual([]);
    const [extension] = await query(
      database.url,
      `select from pg_extension where extname = 'vector'`,
    );
    expect(extension).toBeDefined();
    expect(await migrate(connection)).toBe(all);
    expect(await describeSchema(connection.db)).toEqual(everything);
  });

  it('undoes each migration to the state before it, and keeps the rows that were there', async () => {
    for (let count = 1; count <= all; count++) {
      const before = await describeSchema(connection.db);
      const kept = await insertRows(connection.db);
      const folder = new MigrationsCopy().keep(count);
      expect(await migrate(connection, folder.folder)).toBe(1);
      expect(await insertedRows(connection.db)).toEqual(kept);
      const after = await describeSchema(connection.db);
      await rollback(connection, { folder: folder.folder });
      expect(await describeSchema(connection.db)).toEqual(before);
      expect(await insertedRows(connection.db)).toEqual(kept);
      await migrate(connection, folder.folder);
      expect(await describeSchema(connection.db)).toEqual(after);
      folder.dispose();
    }
  });

  it.each([
    { name: 'of 1,536 numbers', options: { dimensions: 1_536 } },
    { name: 'with an index of half precision', options: { index: { precision: 'half' as const } } },
  ])('undoes what was made a store $name', async ({ options }) => {
    const nothing = await describeSchema(connection.db);
    await fill(options);
    const report = await rollback(connection, { count: all, force: true });
    expect(report.lost).toEqual(['1 row of embedding_space']);
    expect(await describeSchema(connection.db)).toEqual(nothing);
    await fill(options);
    expect(await applied()).toBe(all);
  });

  it('undoes what was loaded, and what a killed load left', async () => {
    const nothing = await describeSchema(connection.db);
    const store = await PgVectorStore.create({
      connection: connect(),
      logger: silent,
      dimensions: 8,
    });
    await store.replaceAll(rows(2_500, 'a'));
    await store.close();
    const loaded = await describeSchema(connection.db);
    await leaveLoad(connection.db);
    expect((await describeSchema(connection.db)).length).toBeGreaterThan(loaded.length);
    const report = await rollback(connection, { count: all, force: true });
    expect(report.lost).toContain('2,500 rows of embeddings');
    expect(await describeSchema(connection.db)).toEqual(nothing);
  });

  it('tells what it would do, and does not do it', async () => {
    await migrate(connection);
    await insertRows(connection.db);
    const before = await describeSchema(connection.db);
    const report = await rollback(connection, { count: all, dryRun: true });
    expect(report.undone).toHaveLength(all);
    expect(report.lost).toContain('1 row of embeddings');
    expect(await describeSchema(connection.db)).toEqual(before);
    expect(await applied()).toBe(all);
  });

  it('lets 20 migrators and rollbacks at once end in one state', async () => {
    const connections = Array.from({ length: 20 }, connect);
    await Promise.all(connections.map(each => migrate(each)));
    expect(await applied()).toBe(all);
    const made = await describeSchema(connection.db);
    const works = connections.map((each, index) =>
      index % 2 === 0 ? migrate(each) : rollback(each, { count: 1 }),
    );
    const results = await Promise.allSettled(works);
    // One after another, each does all of its work or finds nothing left to undo.
    for (const result of results.filter(({ status }) => status === 'rejected')) {
      const { reason } = result as PromiseRejectedResult;
      expect(reason.message).toContain('migrations, which is how many are applied');
    }
    await migrate(connection);
    expect(await applied()).toBe(all);
    expect(await describeSchema(connection.db)).toEqual(made);
    await Promise.all(connections.map(each => each.close()));
  });

  it('waits for the lock of the migrator', async () => {
    await migrate(connection);
    const events: string[] = [];
    await connection.withMaintenanceSession(async session => {
      await session.execute(sql`select pg_advisory_lock(${0x61736b5f6169}::bigint)`);
      const undone = rollback(connection).then(() => events.push('undone'));
      await pollUntil('a session that waits for the lock', 30_000, async () => {
        const waiting = `select from pg_locks where locktype = 'advisory' and not granted
          and database = (select oid from pg_database where datname = current_database())`;
        return (await query(database.url, waiting))[0];
      });
      events.push('released');
      await session.execute(sql`select pg_advisory_unlock(${0x61736b5f6169}::bigint)`);
      await undone;
    });
    expect(events).toEqual(['released', 'undone']);
  });
});
