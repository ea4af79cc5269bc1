import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { startPgBouncer } from '../../../../tests/services/pgBouncer';
import { type TestDatabase, testServerUrl } from '../../../../tests/services/testDatabase';
import { PgVectorStore } from '../services/PgVectorStore';
import { createDatabaseWithExtensionApart } from '../testing/extensionApart';
import { silent } from '../testing/loadFixtures';
import { translateDatabaseError } from './databaseErrors';
import { openPostgresConnection, type PostgresConnectionOptions } from './postgresConnection';

describe('settleSearchPath', { timeout: 60_000 }, () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createDatabaseWithExtensionApart('search_path');
  });

  afterAll(() => database.drop());

  it('refuses a schema that is not there, and one that the role may not use', async () => {
    const role = `ask_ai_stranger_${process.pid}`;
    await query(
      database.url,
      `create role ${role} login password 'x'`,
      `grant create, usage on schema public to ${role}`,
    );
    const url = new URL(database.url);
    url.username = role;
    url.password = 'x';
    const open = async (schema: string | undefined) => {
      const connection = openPostgresConnection({ connectionString: url.href, schema }, silent);
      const message = await PgVectorStore.create({
        connection,
        logger: silent,
        dimensions: 3,
      }).then(
        store => store.close(),
        (error: Error) => error.message,
      );
      await connection.close();
      return message;
    };
    expect(await open('Ask al')).toContain(`CREATE SCHEMA "Ask al" AUTHORIZATION ${role}`);
    expect(await open('Ask ai')).toContain(`GRANT USAGE ON SCHEMA "Ask ai" TO ${role}`);
    expect(await open(undefined)).toContain(`GRANT USAGE ON SCHEMA extensions TO ${role}`);
    const tables = await query(
      database.url,
      `select 1 from pg_tables where schemaname = 'public' and tablename = 'embeddings'`,
    );
    expect(tables).toEqual([]);
    await query(database.url, `drop owned by ${role}`, `drop role ${role}`);
  });

  it('adds the schema of pgvector to the path of its own sessions, once', async () => {
    const path = async (schema?: string) => {
      const options = { connectionString: database.url, schema };
      const connection = openPostgresConnection(options, silent);
      const read = async (db: typeof connection.db) =>
        ((await db.execute(sql`show search_path`)) as unknown as { rows: object[] }).rows[0];
      const paths = [await read(connection.db), await connection.withMaintenanceSession(read)];
      await connection.close();
      return paths.map(row => row && Object.values(row)[0]);
    };
    expect(await path('Ask ai')).toEqual(Array(2).fill('"Ask ai",public, extensions'));
    expect(await path('extensions')).toEqual(Array(2).fill('"extensions",public'));
  });

  it('says what to set when PgBouncer refuses a parameter, or drops the search path', async () => {
    const at = async (ignored: string, options: PostgresConnectionOptions) => {
      const bouncer = await startPgBouncer({
        poolMode: 'transaction',
        target: testServerUrl(),
        settings: ignored ? { ignore_startup_parameters: ignored } : {},
      });
      const url = new URL(bouncer.url);
      url.pathname = database.name;
      const connection = openPostgresConnection({ ...options, connectionString: url.href }, silent);
      const message = await connection.db.execute(sql`select 1`).then(
        () => undefined,
        (error: unknown) => translateDatabaseError(error, 'look', connection.description).message,
      );
      await connection.close();
      await bouncer.close();
      return message;
    };
    expect(await at('', {})).toContain('ignore_startup_parameters = statement_timeout,options');
    expect(await at('statement_timeout,options', { lockTimeoutMillis: 1_000 })).toContain(
      'lock_timeout',
    );
    expect(await at('statement_timeout,options', {})).toMatch(
      /ALTER ROLE \S+ SET search_path = .*, extensions;/,
    );
    await query(
      database.url,
      `alter database ${database.name} set search_path = "$user", public, extensions`,
    );
    expect(await at('statement_timeout,options', {})).toBeUndefined();
    expect(await at('statement_timeout,options', { schema: 'Ask ai' })).toContain(
      'ALTER ROLE ... SET search_path',
    );
  });
});
