import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { query } from './connect';
import { serverAddress } from './inspectServer';
import { identifyProcess, isRunning, type ProcessIdentity } from './processes';

/** A server on which one run makes its databases. Plain data: it is handed to the workers. */
export interface DatabaseServer {
  url: string;
  /** Beginning of the names of this run's databases. */
  prefix: string;
  /** Where the tests keep their tables; the default is `public`. */
  schema?: string;
}

export interface DatabaseOptions {
  /** Whether pgvector is enabled in it. Default `true`. */
  extension?: boolean;
  /** Makes the database easier to recognise; the name is unique anyway. */
  name?: string;
}

/** A database of its own for a test. */
export interface TestDatabase {
  /** Logs in with the role of the test server. */
  url: string;
  name: string;
  /** Where its tables lie, as SQL names it. */
  schema: string;
  /** Ends its connections and removes it. */
  drop(): Promise<void>;
}

/** Written as a comment on a run's template: whose databases those with the same prefix are. */
interface Owner extends ProcessIdentity {
  hostname: string;
}

const PREFIX = 'ask_ai_test_';
const TEMPLATE = '_template';

/** Makes the template that databases are copied from, and removes what killed runs left. */
export async function prepareDatabases(url: string): Promise<DatabaseServer> {
  await dropStaleDatabases(url);
  const server = { url, prefix: `${PREFIX}${randomBytes(4).toString('hex')}` };
  const template = server.prefix + TEMPLATE;
  const owner: Owner = {
    pid: 0,
    startedAt: '',
    ...identifyProcess(process.pid),
    hostname: hostname(),
  };
  await query(
    url,
    `CREATE DATABASE ${template} TEMPLATE template1`,
    `COMMENT ON DATABASE ${template} IS '${JSON.stringify(owner).replaceAll("'", "''")}'`,
  );
  try {
    await query(databaseUrl(url, template), 'CREATE EXTENSION IF NOT EXISTS vector');
  } catch (error) {
    await dropDatabases(server);
    throw new Error(
      `pgvector can't be enabled in a new database on PostgreSQL at ${serverAddress(url)}: ${(error as Error).message}. ` +
        'A superuser must run once, connected to its database template1: CREATE EXTENSION vector; ' +
        'Or use a role that is superuser.',
    );
  }
  return server;
}

/** A fresh database, copied from a template: about 100 ms. */
export async function createDatabase(
  server: DatabaseServer,
  { extension = true, name = 'db' }: DatabaseOptions = {},
): Promise<TestDatabase> {
  const hint =
    name
      .toLowerCase()
      .match(/[a-z0-9]+/g)
      ?.join('_')
      .slice(0, 24) ?? 'db';
  const unique = `${server.prefix}_${hint}_${randomBytes(6).toString('hex')}`;
  // template0 has no extension, also where a DBA enabled pgvector for every new database.
  const template = extension ? server.prefix + TEMPLATE : 'template0';
  await query(server.url, `CREATE DATABASE ${unique} TEMPLATE ${template}`);
  const schema = server.schema ? `"${server.schema.replaceAll('"', '""')}"` : 'public';
  if (server.schema) {
    await query(
      databaseUrl(server.url, unique),
      `CREATE SCHEMA ${schema}`,
      // As everybody may use "public".
      `GRANT USAGE ON SCHEMA ${schema} TO PUBLIC`,
      `ALTER DATABASE ${unique} SET search_path = ${schema}, public`,
    );
  }
  return {
    url: databaseUrl(server.url, unique),
    name: unique,
    schema,
    drop: () => dropDatabase(server.url, unique),
  };
}

/** Removes every database of a run. */
export async function dropDatabases({ url, prefix }: DatabaseServer): Promise<void> {
  for (const name of await listDatabases(url, prefix)) {
    await dropDatabase(url, name);
  }
}

/** A run is known to be dead when it ran on this machine and its process is gone. */
async function dropStaleDatabases(url: string): Promise<void> {
  const templates = await query<{ name: string; comment: string | null }>(
    url,
    `SELECT datname AS name, shobj_description(oid, 'pg_database') AS comment
       FROM pg_database
      WHERE datname LIKE '${PREFIX}%${TEMPLATE}' AND pg_has_role(datdba, 'MEMBER')`,
  );
  for (const { name, comment } of templates) {
    const owner = parseOwner(comment);
    if (owner && owner.hostname === hostname() && !isRunning(owner)) {
      await dropDatabases({ url, prefix: name.slice(0, -TEMPLATE.length) });
    }
  }
}

function parseOwner(comment: string | null): Owner | undefined {
  try {
    return JSON.parse(comment ?? '') as Owner;
  } catch {
    return undefined;
  }
}

async function listDatabases(url: string, prefix: string): Promise<string[]> {
  const rows = await query<{ name: string }>(
    url,
    `SELECT datname AS name FROM pg_database WHERE starts_with(datname, '${prefix}')`,
  );
  return rows.map(row => row.name);
}

async function dropDatabase(url: string, name: string): Promise<void> {
  await query(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = database;
  return url.href;
}
