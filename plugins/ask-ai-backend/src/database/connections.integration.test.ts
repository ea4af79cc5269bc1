import { mockServices } from '@backstage/backend-test-utils';
import { ConfigReader } from '@backstage/config';
import { sql } from 'drizzle-orm';
import { knex } from 'knex';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { startPgBouncer } from '../../../../tests/services/pgBouncer';
import { pollUntil } from '../../../../tests/services/poll';
import type { TestDatabase } from '../../../../tests/services/testDatabase';
import { readBackstageDatabase } from '../cli/readBackstageDatabase';
import { PgVectorStore } from '../services/PgVectorStore';
import { createDatabaseWithExtensionApart } from '../testing/extensionApart';
import { contentsIn, contentsOf, DIMENSIONS, rows, silent } from '../testing/loadFixtures';
import { backstageDatabaseOptions } from './backstageDatabase';
import { type Database, type DatabaseConnection, selectRows } from './connection';
import { withMaintenanceLock } from './maintenanceLock';
import { withMigrationLock } from './migrator';
import { openPostgresConnection, type PostgresConnectionOptions } from './postgresConnection';

const settings = async (options: PostgresConnectionOptions) => {
  const connection = openPostgresConnection(options, silent);
  try {
    const names = [
      'statement_timeout',
      'lock_timeout',
      'idle_in_transaction_session_timeout',
      'application_name',
    ];
    const list = sql.raw(
      `select concat_ws(' ', ${names.map(name => `current_setting('${name}')`).join(', ')}) as all`,
    );
    const first = (result: unknown) => (result as { rows: { all: string }[] }).rows[0]?.all;
    return {
      pool: first(await connection.db.execute(list)),
      maintenance: await connection.withMaintenanceSession(async session =>
        first(await session.execute(list)),
      ),
    };
  } finally {
    await connection.close();
  }
};

const LIMITS = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
];

/** Those that are not 0; older servers do not know the last ones. */
async function limitsOf(session: Database): Promise<string[]> {
  const rows = await selectRows<{ name: string }>(
    session,
    sql`select name from pg_settings where name = any(${sql.param(LIMITS)}::text[]) and setting <> '0'`,
  );
  return rows.map(({ name }) => name).sort();
}

describe('openPostgresConnection', { timeout: 60_000 }, () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createDatabaseWithExtensionApart('connections');
  });

  afterAll(() => database.drop());

  it('gives every session the limits that are configured, and a maintenance session none', async () => {
    const limits = await settings({
      connectionString: database.url,
      statementTimeoutMillis: 7_000,
      lockTimeoutMillis: 3_000,
      idleInTransactionTimeoutMillis: 60_000,
      applicationName: 'portal',
    });
    expect(limits).toEqual({ pool: '7s 3s 1min portal', maintenance: '0 0 0 portal' });
  });

  it('lifts the limits of the role for maintenance, behind PgBouncer for its transactions only', async () => {
    const role = `ask_ai_limited_${process.pid}`;
    const known = await query<{ name: string }>(
      database.url,
      `select name from pg_settings where name = any('{${LIMITS}}') order by name`,
    );
    const names = known.map(({ name }) => name);
    await query(
      database.url,
      `create role ${role} superuser login password 'limited'`,
      ...names.map(name => `alter role ${role} set ${name} = '60s'`),
      `alter role ${role} set search_path = "$user", public, extensions`,
    );
    const url = new URL(database.url);
    url.username = role;
    url.password = 'limited';
    const bouncer = await startPgBouncer({
      poolMode: 'transaction',
      target: database.url,
      users: { [role]: 'limited' },
      settings: { ignore_startup_parameters: 'statement_timeout,options', default_pool_size: 1 },
    });
    const pooledUrl = new URL(bouncer.url);
    pooledUrl.username = role;
    pooledUrl.password = 'limited';
    pooledUrl.pathname = database.name;
    const [direct, pooled] = [url, pooledUrl].map(({ href }) =>
      openPostgresConnection({ connectionString: href }, silent),
    ) as [DatabaseConnection, DatabaseConnection];

    expect(await direct.withMaintenanceSession(limitsOf)).toEqual([]);
    // It has one session for all who come.
    for (const connection of [direct, pooled]) {
      expect(await withMigrationLock(connection, limitsOf)).toEqual([]);
      expect(await withMaintenanceLock(connection, limitsOf)).toEqual([]);
    }
    expect(await pooled.withMaintenanceSession(limitsOf)).toEqual(names);
    expect(await limitsOf(pooled.db)).toEqual(names);

    await Promise.all([direct.close(), pooled.close()]);
    await bouncer.close();
    await query(database.url, `drop role ${role}`);
  });

  it('replaces a connection at the end of its life', async () => {
    const connection = openPostgresConnection(
      { connectionString: database.url, maxLifetimeSeconds: 1, maxConnections: 1 },
      silent,
    );
    const pid = async () => {
      const result = await connection.db.execute(sql`select pg_backend_pid() as pid`);
      return (result as unknown as { rows: { pid: number }[] }).rows[0]?.pid;
    };
    const first = await pid();
    await pollUntil('another connection', 10_000, async () =>
      (await pid()) === first ? undefined : true,
    );
    await connection.close();
  });

  it('finds pgvector in a schema that is not on the search path', async () => {
    const connection = openPostgresConnection(
      { connectionString: database.url, schema: 'Ask ai' },
      silent,
    );
    const store = await PgVectorStore.create({
      connection,
      logger: silent,
      dimensions: DIMENSIONS,
    });
    const loaded = rows(300, 'loaded');
    await store.storeAll(loaded);
    expect(await contentsOf(store)).toEqual(contentsIn(loaded));
    const replaced = rows(200, 'replaced');
    await store.replaceAll(replaced);
    expect(await contentsOf(store)).toEqual(contentsIn(replaced));
    const vector = replaced[7]?.vector ?? [];
    const found = await Promise.all(
      Array.from({ length: 8 }, () => store.search(vector, 1, { namespaces: ['default'] })),
    );
    expect(found.map(hits => hits[0]?.documentChunk.id)).toEqual(Array(8).fill('replaced-00007'));
    for (const mode of ['hybrid', 'vector', 'keyword'] as const) {
      const hits = await store.searchRanked({ mode, text: 'replaced', vector, topK: 2 });
      expect(hits).toHaveLength(2);
    }
    await store.close();
    const tables = await query(
      database.url,
      `select 1 from pg_tables where schemaname = 'Ask ai' and tablename = 'embeddings'`,
    );
    expect(tables).toHaveLength(1);
  });

  it("works in Backstage's own database, divided by schema and with a role", async () => {
    const role = `ask_ai_owner_${process.pid}`;
    await query(
      database.url,
      'create schema "ask-ai"',
      `create role ${role} nologin`,
      `grant usage on schema extensions to ${role}`,
      `grant all on schema "ask-ai" to ${role}`,
    );
    const { hostname, port, username, password } = new URL(database.url);
    const connection = {
      host: hostname,
      port: Number(port || 5_432),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: database.name,
    };
    const config = new ConfigReader({
      backend: { database: { client: 'pg', connection, role, pluginDivisionMode: 'schema' } },
    });
    const options = await readBackstageDatabase(config, mockServices.logger.mock());
    expect(options).toMatchObject({ schema: 'ask-ai', role });
    const store = await PgVectorStore.create({
      connection: openPostgresConnection({ ...options }, silent),
      logger: silent,
      dimensions: DIMENSIONS,
    });
    await store.storeAll(rows(5, 'own'));
    expect(await store.count()).toBe(5);
    await store.close();
    const [table] = await query<{ tableowner: string }>(
      database.url,
      `select tableowner from pg_tables where schemaname = 'ask-ai' and tablename = 'embeddings'`,
    );
    expect(table?.tableowner).toBe(role);
    await query(database.url, `drop owned by ${role}`, `drop role ${role}`);
  });

  it('asks Backstage for the password of each new connection, where it rotates', async () => {
    const role = `ask_ai_rotating_${process.pid}`;
    let password = 'first';
    await query(
      database.url,
      `create role ${role} login password '${password}'`,
      `grant usage on schema extensions to ${role}`,
    );
    const { hostname, port } = new URL(database.url);
    // As Backstage's connectors of the clouds make it: a token for each connection.
    const client = knex({
      client: 'pg',
      connection: async () => ({
        host: hostname,
        port: Number(port || 5_432),
        user: role,
        password,
        database: database.name,
      }),
    });
    const options = await backstageDatabaseOptions({ getClient: async () => client });
    const connection = openPostgresConnection({ ...options, maxLifetimeSeconds: 1 }, silent);
    const session = async () => {
      const result = await connection.db.execute(sql`select pg_backend_pid() as pid, current_user`);
      return (result as unknown as { rows: { pid: number; current_user: string }[] }).rows[0];
    };
    const first = await session();
    expect(first?.current_user).toBe(role);
    password = 'second';
    await query(database.url, `alter role ${role} password '${password}'`);
    await pollUntil('A session that logged in by the second password', 10_000, async () =>
      (await session())?.pid === first?.pid ? undefined : true,
    );
    await connection.close();
    await client.destroy();
    await query(database.url, `drop owned by ${role}`, `drop role ${role}`);
  });
});
