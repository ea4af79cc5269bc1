import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { query } from './connect';
import { prepareDatabases } from './databases';
import { inspectServer } from './inspectServer';
import { freePort } from './ports';
import { type PostgresServer, startPostgres } from './postgres';

const SECRET = 'a-secret-word';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres({ durable: false });
  await query(
    server.url,
    `CREATE ROLE reader LOGIN PASSWORD '${SECRET}'`,
    `CREATE ROLE creator LOGIN CREATEDB PASSWORD '${SECRET}'`,
  );
});

afterAll(() => server.close());

function urlFor(role: string, password = SECRET): string {
  return `postgresql://${role}:${password}@127.0.0.1:${server.port}/postgres`;
}

/** What a person reads; never the password. */
async function complaint(action: Promise<unknown>): Promise<string> {
  const error = await action.then(
    () => new Error('it worked'),
    (reason: Error) => reason,
  );
  expect(JSON.stringify([error.message, error.stack, error.cause])).not.toContain(SECRET);
  return error.message;
}

it('tells the versions of a server that can carry the tests', async () => {
  expect(await inspectServer(urlFor('creator'))).toEqual({
    postgresVersion: expect.stringMatching(/^\d+\.\d+$/),
    pgvectorVersion: expect.stringMatching(/^0\.\d+\.\d+$/),
  });
});

it('names a server that is not there', async () => {
  const port = await freePort();
  const url = `postgresql://someone:${SECRET}@127.0.0.1:${port}/postgres`;
  expect(await complaint(inspectServer(url))).toMatch(
    new RegExp(
      `^No connection to PostgreSQL at 127.0.0.1:${port} .*ECONNREFUSED.*Start that server`,
    ),
  );
});

it('gives up within 10 s on a server that says nothing', async () => {
  const silent = createServer(socket => socket.on('error', () => undefined));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const startedAt = performance.now();
  const url = `postgresql://someone:${SECRET}@127.0.0.1:${port}/postgres`;
  expect(await complaint(inspectServer(url))).toContain(
    `No connection to PostgreSQL at 127.0.0.1:${port}`,
  );
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  silent.close();
});

it('names a wrong password without showing it', async () => {
  expect(await complaint(inspectServer(urlFor('reader', `not-${SECRET}`)))).toContain(
    'password authentication failed',
  );
});

it('names the right that a role lacks', async () => {
  expect(await complaint(inspectServer(urlFor('reader')))).toContain(
    'ALTER ROLE "reader" CREATEDB;',
  );
});

it.each(['nonsense', `mysql://someone:${SECRET}@127.0.0.1/x`])('refuses the URL %s', async url => {
  expect(await complaint(inspectServer(url))).toContain('Expected a URL such as');
});

it('says what a DBA does where the role may not enable pgvector, and leaves no database', async () => {
  expect(await complaint(prepareDatabases(urlFor('creator')))).toContain(
    'connected to its database template1: CREATE EXTENSION vector;',
  );
  expect(await listTestDatabases()).toEqual([]);
});

it('drops the databases of dead runs of this machine, and no others', async () => {
  const living = await prepareDatabases(server.url);
  const templates = ['ask_ai_test_dead', 'ask_ai_test_elsewhere', 'ask_ai_test_unknown'];
  await query(server.url, ...templates.map(name => `CREATE DATABASE ${name}_template`));
  await query(server.url, 'CREATE DATABASE ask_ai_test_dead_db_1');
  const [comment] = await query<{ owner: string }>(
    server.url,
    `SELECT shobj_description(oid, 'pg_database') AS owner FROM pg_database
      WHERE datname = '${living.prefix}_template'`,
  );
  const dead = { ...JSON.parse(comment?.owner ?? ''), startedAt: 'before' };
  await query(
    server.url,
    `COMMENT ON DATABASE ask_ai_test_dead_template IS '${JSON.stringify(dead)}'`,
    `COMMENT ON DATABASE ask_ai_test_elsewhere_template IS '${JSON.stringify({ ...dead, hostname: 'elsewhere' })}'`,
  );
  const { prefix } = await prepareDatabases(server.url);
  expect(await listTestDatabases()).toEqual(
    [
      `${living.prefix}_template`,
      `${prefix}_template`,
      'ask_ai_test_elsewhere_template',
      'ask_ai_test_unknown_template',
    ].sort(),
  );
});

async function listTestDatabases(): Promise<string[]> {
  const rows = await query<{ datname: string }>(
    server.url,
    `SELECT datname FROM pg_database WHERE datname LIKE 'ask_ai_test_%'`,
  );
  return rows.map(row => row.datname).sort();
}
