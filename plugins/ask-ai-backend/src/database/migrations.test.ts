import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { PgVectorStore } from '../services/PgVectorStore';
import { type DatabaseConnection, selectRows } from './connection';
import { countPendingMigrations, migrate } from './migrator';
import { openPostgresConnection } from './postgresConnection';

const REPOSITORY = resolve(__dirname, '../../../..');
const MIGRATIONS = 6;
const logger = { debug: () => {}, info: () => {}, warn: () => {} };

describe('migrations', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  const open: DatabaseConnection[] = [];

  const connect = (options: { user?: string; schema?: string } = {}): DatabaseConnection => {
    const url = new URL(database.url);
    url.username = options.user ?? url.username;
    const connection = openPostgresConnection(
      { connectionString: url.href, schema: options.schema, maxConnections: 2 },
      logger,
    );
    open.push(connection);
    return connection;
  };

  const drizzleKitMigrate = () =>
    promisify(execFile)(
      process.execPath,
      [resolve(REPOSITORY, 'node_modules/drizzle-kit/bin.cjs'), 'migrate'],
      {
        cwd: REPOSITORY,
        env: {
          ...process.env,
          DATABASE_URL: database.url,
          DATABASE_SCHEMA: database.schema.replaceAll('"', ''),
        },
      },
    );

  beforeEach(async () => {
    database = await createTestDatabase({ extension: false });
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map(connection => connection.close()));
    await database.drop();
  });

  it('leaves the backend nothing to do after drizzle-kit migrate', async () => {
    await drizzleKitMigrate();
    const connection = connect();
    expect(await countPendingMigrations(connection.db)).toBe(0);
    expect(await migrate(connection)).toBe(0);
    expect(await journalLength(connection)).toBe(MIGRATIONS);
  });

  it('leaves drizzle-kit migrate nothing to do after the backend', async () => {
    const connection = connect();
    expect(await migrate(connection)).toBe(MIGRATIONS);
    await drizzleKitMigrate();
    expect(await journalLength(connection)).toBe(MIGRATIONS);
  });

  it('lets 20 replicas start at once on an empty database', async () => {
    const stores = await Promise.all(
      Array.from({ length: 20 }, () => PgVectorStore.create({ connection: connect(), logger })),
    );
    expect(await journalLength(connect())).toBe(MIGRATIONS);
    expect(await Promise.all(stores.map(store => store.count()))).toEqual(Array(20).fill(0));
  });

  it('declares the vector column and its index as the schema does', async () => {
    const connection = connect();
    await migrate(connection);
    const indexes = await selectRows<{ indexdef: string }>(
      connection.db,
      sql`select indexdef from pg_indexes where tablename = 'embeddings' order by indexname`,
    );
    const definitions = indexes.map(({ indexdef }) => indexdef).join('\n');
    expect(definitions).toMatch(
      /embeddings_vector_idx ON \S*embeddings USING hnsw \(vector vector_cosine_ops\) WITH \(m='16', ef_construction='64'\)/,
    );
    expect(definitions).toMatch(/USING gin \(content_tsv\)/);
    expect(definitions).toMatch(/USING btree \(entity_id\)/);
    expect(definitions).toMatch(/USING btree \(chunk_id\)/);
  });

  it('keeps the journals of two schemas of one database apart', async () => {
    const connection = connect();
    await connection.db.execute(sql`create schema first`);
    await connection.db.execute(sql`create schema second`);
    await connection.db.execute(sql`create extension vector`);
    expect(await migrate(connect({ schema: 'first' }))).toBe(MIGRATIONS);
    expect(await migrate(connect({ schema: 'second' }))).toBe(MIGRATIONS);
    expect(await migrate(connect({ schema: 'first' }))).toBe(0);
    expect(await journalLength(connect({ schema: 'second' }))).toBe(MIGRATIONS);
  });

  it('says what a DBA must run when the role may not enable pgvector', async () => {
    const role = `limited_${process.pid}_${Date.now()}`;
    const admin = connect();
    await admin.db.execute(sql`create role ${sql.identifier(role)} login`);
    try {
      const name = sql.identifier(new URL(database.url).pathname.slice(1));
      await admin.db.execute(
        sql`grant all on schema ${sql.raw(database.schema)} to ${sql.identifier(role)}`,
      );
      await admin.db.execute(sql`grant create on database ${name} to ${sql.identifier(role)}`);
      await expect(
        PgVectorStore.create({ connection: connectAs(role), logger }),
      ).rejects.toMatchObject({
        name: 'VectorStoreSchemaError',
        message: expect.stringContaining('CREATE EXTENSION vector;'),
      });
      await admin.db.execute(sql`create extension vector`);
      const store = await PgVectorStore.create({ connection: connectAs(role), logger });
      expect(await store.count()).toBe(0);
      await store.close();
    } finally {
      await admin.db.execute(sql`drop owned by ${sql.identifier(role)} cascade`);
      await admin.db.execute(sql`drop role ${sql.identifier(role)}`);
    }
  });

  /** A session of the tests' role that has given up its rights for those of another. */
  const connectAs = (role: string): DatabaseConnection => {
    const connection = openPostgresConnection(
      { connectionString: withRole(database.url, role), maxConnections: 2 },
      logger,
    );
    open.push(connection);
    return connection;
  };
});

function withRole(url: string, role: string): string {
  const changed = new URL(url);
  changed.searchParams.set('options', `-c role=${role}`);
  return changed.href;
}

async function journalLength(connection: DatabaseConnection): Promise<number> {
  const [row] = await selectRows<{ count: string }>(
    connection.db,
    sql`select count(*) from ask_ai_migrations`,
  );
  return Number(row?.count);
}
