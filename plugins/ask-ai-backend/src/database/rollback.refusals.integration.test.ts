import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { PgVectorStore } from '../services/PgVectorStore';
import { row, rows, silent } from '../testing/loadFixtures';
import { describeSchema, insertRows, MigrationsCopy } from '../testing/migrationFixtures';
import { type DatabaseConnection, selectRows } from './connection';
import { migrate } from './migrator';
import { openPostgresConnection } from './postgresConnection';
import { rollback } from './rollback';

describe('a rollback that is refused', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let connection: DatabaseConnection;
  let migrations: MigrationsCopy;
  let all: number;

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'rollback' });
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
    return openPostgresConnection({ connectionString: database.url, maxConnections: 2 }, silent);
  }

  const applied = async (): Promise<number> =>
    (await selectRows(connection.db, sql`select from ask_ai_migrations`)).length;

  const countOf = async (table: string): Promise<number> => {
    const statement = sql`select count(*) as count from ${sql.identifier(table)}`;
    const [found] = await selectRows<{ count: string }>(connection.db, statement);
    return Number(found?.count);
  };

  it('refuses to lose rows, and tells which', async () => {
    const store = await PgVectorStore.create({
      connection: connect(),
      logger: silent,
      dimensions: 8,
    });
    await store.replaceDocuments([
      {
        entityId: 'component:default/e0',
        source: 'techdocs',
        fingerprint: 'f',
        embedded: [row('a'), row('b')],
        kept: [],
      },
    ]);
    await store.close();
    const before = await describeSchema(connection.db);
    await expect(rollback(connection, { count: all })).rejects.toMatchObject({
      name: 'ConflictError',
      message: expect.stringMatching(
        /2 rows of embeddings, 1 row of indexed_documents would be lost.*--force/,
      ),
    });
    expect(await describeSchema(connection.db)).toEqual(before);
    expect([await countOf('embeddings'), await applied()]).toEqual([2, all]);
    // What keeps them is undone without being forced.
    await rollback(connection, { count: all - 2 });
    expect(await countOf('embeddings')).toBe(2);
    await rollback(connection, { count: 2, force: true });
    expect(await applied()).toBe(0);
  });

  it('refuses to lose the values of a column', async () => {
    migrations.add(
      'locale',
      'ALTER TABLE "embeddings" ADD COLUMN "locale" text;',
      'ALTER TABLE "embeddings" DROP COLUMN "locale";',
    );
    const { folder } = migrations;
    await migrate(connection, folder);
    await insertRows(connection.db);
    await rollback(connection, { folder });
    await migrate(connection, folder);
    await connection.db.execute(sql`update embeddings set locale = 'de'`);
    await expect(rollback(connection, { folder })).rejects.toThrow(
      '1 value of embeddings.locale would be lost',
    );
    expect((await rollback(connection, { folder, force: true })).undone).toHaveLength(1);
  });

  it.each([
    ['a view', 'create view report as select id from embeddings', /view .*report.* depends on/],
    ['an index', 'create index reports_idx on embeddings (updated_at)', /index .*reports_idx/],
    [
      'a trigger',
      'create trigger report before insert on embeddings execute function suppress_redundant_updates_trigger()',
      /trigger report on table .*embeddings/,
    ],
    ['a policy', 'create policy report on embeddings', /policy report on table .*embeddings/],
    ['statistics', 'create statistics reports on id, source from embeddings', /reports/],
    ['a publication', 'create publication reports for table embeddings', /publication reports/],
    [
      'a foreign key',
      'create table reports (id text references embeddings)',
      /constraint .* depends on/,
    ],
  ])('never takes %s of others along', async (_, statement, message) => {
    await migrate(connection);
    await connection.db.execute(sql.raw(statement));
    const before = await describeSchema(connection.db);
    const refused = rollback(connection, { count: all, force: true });
    await expect(refused).rejects.toMatchObject({
      name: 'VectorStoreSchemaError',
      message: expect.stringMatching(message),
    });
    expect(await describeSchema(connection.db)).toEqual(before);
    expect(await applied()).toBe(all);
  });

  it('stops a file that would take the extension along', async () => {
    migrations.edit('down/0000_enable_pgvector.sql', () => 'DROP EXTENSION vector CASCADE;');
    await migrate(connection);
    await expect(rollback(connection, { count: all, folder: migrations.folder })).rejects.toThrow(
      'extension vector',
    );
    expect(await applied()).toBe(all);
  });

  it('refuses while the table is being loaded', async () => {
    const store = await PgVectorStore.create({
      connection: connect(),
      logger: silent,
      dimensions: 8,
    });
    let refused: Promise<unknown> = Promise.resolve();
    const stream = async function* () {
      yield* rows(2_500, 'a');
      refused = rollback(connection, { count: all, force: true });
      await refused.catch(() => {});
    };
    await store.replaceAll(stream());
    await expect(refused).rejects.toThrow('being loaded or rebuilt');
    expect(await store.count()).toBe(2_500);
    await store.close();
  });

  it.each([
    ['down file', 'down/0001_initial_schema.sql', 'down/0001_initial_schema.sql'],
    ['migration', '0002_vector_index_calibration.sql', '0002_vector_index_calibration.sql'],
  ])('refuses when a %s is missing', async (_, file, named) => {
    await migrate(connection);
    const { folder } = migrations.removeFile(file);
    await expect(rollback(connection, { count: all, folder })).rejects.toMatchObject({
      name: 'VectorStoreSchemaError',
      message: expect.stringContaining(named),
    });
    expect(await applied()).toBe(all);
  });

  it('refuses to undo more than is applied, and what a newer version applied', async () => {
    await migrate(connection, migrations.add('newer', 'create table newer ()').folder);
    await expect(rollback(connection)).rejects.toThrow('with the version that applied it');
    const { folder } = migrations;
    await expect(rollback(connection, { count: all + 2, folder })).rejects.toThrow(
      `at most ${all + 1} migrations`,
    );
  });

  it('never takes the tables of another schema along', async () => {
    await migrate(connection);
    await connection.db.execute(sql`create schema other`);
    const url = new URL(database.url);
    url.searchParams.set('options', `-c search_path=other,${database.schema},public`);
    const other = openPostgresConnection({ connectionString: url.href, maxConnections: 1 }, silent);
    await migrate(other);
    await other.db.execute(sql`drop table other.embeddings, other.vector_index_calibration`);
    // Without them, their names mean those of the other store.
    await expect(rollback(other, { count: all, force: true })).rejects.toThrow(
      /table \S*vector_index_calibration/,
    );
    await other.close();
    expect(await countOf('embeddings')).toBe(0);
    expect(await countOf('vector_index_calibration')).toBe(0);
  });
});
