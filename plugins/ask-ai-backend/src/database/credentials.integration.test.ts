import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { pollUntil } from '../../../../tests/services/poll';
import { type PostgresServer, startPostgres } from '../../../../tests/services/postgres';
import { VectorStoreUnavailableError } from '../errors';
import { PgVectorStore } from '../services/PgVectorStore';
import { type Certificate, TestAuthority } from '../testing/certificates';
import type { DatabaseConnection } from './connection';
import { translateDatabaseError } from './databaseErrors';
import { openPostgresConnection, type PostgresConnectionOptions } from './postgresConnection';

const SECRETS = ['open-sesame', 'changed-sesame', 'wrong-sesame', 'PRIVATE KEY'];

/** All that was printed at any level. */
const printed: string[] = [];
const note = (...texts: unknown[]) => void printed.push(inspect(texts, { depth: 12 }));
const logger = { debug: note, info: note, warn: note, error: note };

describe('a connection that proves who is there', { timeout: 60_000 }, () => {
  let server: PostgresServer;
  let authority: TestAuthority;
  let strangers: TestAuthority;
  let client: Certificate;
  const folder = mkdtempSync(join(tmpdir(), 'ask-ai-password-'));
  const opened: DatabaseConnection[] = [];

  const present = async ({ cert, key }: Certificate) => {
    await server.writeFile('server.crt', cert);
    await server.writeFile('server.key', key);
    await query(server.url, "alter system set ssl = 'on'", 'select pg_reload_conf()');
    await pollUntil('the server has the certificate', 10_000, async () =>
      (await offered(server)).includes(cert) ? true : undefined,
    );
  };
  const target = (options: PostgresConnectionOptions): PostgresConnectionOptions => ({
    host: 'localhost',
    port: server.port,
    database: 'postgres',
    user: 'app',
    password: 'open-sesame',
    ...options,
  });
  const open = (options: PostgresConnectionOptions) => {
    const connection = openPostgresConnection(target(options), logger);
    opened.push(connection);
    return connection;
  };
  const isEncrypted = async (options: PostgresConnectionOptions) => {
    const { rows } = (await open(options).db.execute(
      sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`,
    )) as unknown as { rows: { ssl: boolean }[] };
    return rows[0]?.ssl;
  };
  const failureOf = async (options: PostgresConnectionOptions): Promise<Error> => {
    const connection = open(options);
    const error = await connection.db.execute(sql`select 1`).then(
      () => undefined,
      (fault: unknown) => translateDatabaseError(fault, 'look', connection.description),
    );
    note(error, JSON.stringify(error));
    expect(error).toBeInstanceOf(VectorStoreUnavailableError);
    return error as Error;
  };

  beforeAll(async () => {
    server = await startPostgres({ durable: false });
    authority = TestAuthority.create();
    strangers = TestAuthority.create();
    client = authority.issue('app');
    await query(
      server.url,
      "create role app login password 'open-sesame'",
      'create role certified login',
      'create extension vector',
      'grant create on schema public to app',
    );
  }, 60_000);

  afterAll(async () => {
    await Promise.all(opened.map(connection => connection.close()));
    await server.close();
    authority.close();
    strangers.close();
    rmSync(folder, { recursive: true });
  });

  it('says so when the server does not encrypt', async () => {
    expect((await failureOf({ ssl: true })).message).toContain('The server does not encrypt');
  });

  it('takes a certificate of the right authority for the right name, and no other', async () => {
    await present(authority.issue('localhost', { altName: 'DNS:localhost' }));
    const ca = authority.cert;
    expect(await isEncrypted({ ssl: { ca } })).toBe(true);
    expect(await isEncrypted({})).toBe(false);
    expect(await isEncrypted({ ssl: { rejectUnauthorized: false } })).toBe(true);
    expect((await failureOf({ ssl: true })).message).toContain('as ssl.ca');
    expect((await failureOf({ ssl: { ca: strangers.cert } })).message).toContain('as ssl.ca');
    const elsewhere = await failureOf({ host: '127.0.0.1', ssl: { ca } });
    expect(elsewhere.message).toContain('ssl.servername');
    expect(await isEncrypted({ host: '127.0.0.1', ssl: { ca, servername: 'localhost' } })).toBe(
      true,
    );
  });

  it('compares the certificate with ssl.servername, whatever the host', async () => {
    await present(authority.issue('db.internal', { altName: 'DNS:db.internal' }));
    const ca = authority.cert;
    for (const host of ['localhost', '127.0.0.1']) {
      expect(await isEncrypted({ host, ssl: { ca, servername: 'db.internal' } })).toBe(true);
      for (const servername of ['db.example.com', 'localhost', undefined]) {
        const error = await failureOf({ host, ssl: { ca, servername } });
        expect(error.message).toContain('ssl.servername');
      }
    }
    await present(authority.issue('localhost', { altName: 'DNS:localhost' }));
  });

  it('reads sslmode of a connection string on the safe side', async () => {
    const file = join(folder, 'ca.pem');
    writeFileSync(file, authority.cert);
    const at = (host: string, query: string) => ({
      host: undefined,
      port: undefined,
      database: undefined,
      user: undefined,
      password: undefined,
      connectionString: `postgresql://app:open-sesame@${host}:${server.port}/postgres?${query}`,
    });
    expect(await isEncrypted(at('localhost', 'sslmode=disable'))).toBe(false);
    expect(await isEncrypted(at('localhost', 'sslmode=no-verify'))).toBe(true);
    for (const mode of ['prefer', 'require', 'verify-full']) {
      expect(await isEncrypted(at('localhost', `sslmode=${mode}&sslrootcert=${file}`))).toBe(true);
      await failureOf(at('localhost', `sslmode=${mode}`));
      await failureOf(at('127.0.0.1', `sslmode=${mode}&sslrootcert=${file}`));
    }
    expect(await isEncrypted(at('127.0.0.1', `sslmode=verify-ca&sslrootcert=${file}`))).toBe(true);
    await failureOf(at('localhost', 'sslmode=verify-ca'));
    for (const wrong of ['sslmode=allow', 'sslmode=verify-full&sslrootcert=/nowhere.pem']) {
      const attempt = () => open(at('localhost', wrong));
      expect(attempt).toThrow('Expected the connection string to be');
      expect(attempt).not.toThrow('sesame');
    }
  });

  it('refuses an expired certificate', async () => {
    await present(authority.issue('localhost', { altName: 'DNS:localhost', days: -1 }));
    const error = await failureOf({ ssl: { ca: authority.cert } });
    expect(error.message).toContain('has expired');
  });

  it('logs in by the certificate of the client', async () => {
    await present(authority.issue('localhost', { altName: 'DNS:localhost' }));
    await server.writeFile('ca.crt', authority.cert);
    await server.writeFile(
      'pg_hba.conf',
      'hostssl all certified all cert map=certified\nhost all all all scram-sha-256\n',
    );
    await server.writeFile('pg_ident.conf', 'certified app certified\n');
    await query(server.url, "alter system set ssl_ca_file = 'ca.crt'", 'select pg_reload_conf()');
    const ca = authority.cert;
    const certified = { user: 'certified', password: '', ssl: { ca, ...client } };
    await pollUntil('the server asks for certificates', 10_000, () =>
      isEncrypted(certified).catch(() => undefined),
    );
    const without = await failureOf({ ...certified, ssl: { ca } });
    expect(without.message).toContain('ssl.cert and ssl.key');
    const stranger = await failureOf({ ...certified, ssl: { ca, ...strangers.issue('app') } });
    expect(stranger.message).toContain('ssl.cert and ssl.key');
  });

  it('goes on when the password is changed in its file, with no failed search', async () => {
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, 'open-sesame\n');
    const connection = open({ password: undefined, passwordFile });
    const store = await PgVectorStore.create({ connection, logger, dimensions: 3 });
    const search = () => store.search([1, 0, 0], 1);
    // Enough connections for what goes on between the two changes, the upkeep of the store included.
    await Promise.all([search(), search(), search()]);
    let isChanged = false;
    const searching = (async () => {
      let searches = 0;
      while (!isChanged) {
        await search();
        searches++;
      }
      return searches;
    })();
    await query(server.url, "alter role app password 'changed-sesame'");
    writeFileSync(passwordFile, 'changed-sesame\n');
    const sessions = `select count(*)::int as count from pg_stat_activity where usename = 'app'`;
    const [before] = await query<{ count: number }>(server.url, sessions);
    await Promise.all(Array.from({ length: 10 }, search));
    const [after] = await query<{ count: number }>(server.url, sessions);
    expect(after?.count).toBeGreaterThan(before?.count ?? Number.POSITIVE_INFINITY);
    isChanged = true;
    expect(await searching).toBeGreaterThan(0);
    await connection.withMaintenanceSession(async session => {
      await session.execute(sql`select 1`);
    });
  });

  it('tells the remedy of a wrong password, file, host and string, and nothing secret', async () => {
    expect((await failureOf({ password: 'wrong-sesame' })).message).toContain('user and password');
    expect((await failureOf({ passwordFile: '/nowhere', password: undefined })).message).toContain(
      '/nowhere (ENOENT)',
    );
    expect((await failureOf({ host: 'no-such-host.invalid' })).message).toContain('host name');
    const broken = { host: undefined, connectionString: 'postgresql://app:open-sesame@[h/db' };
    expect(() => open(broken)).toThrow('Expected the connection string');
    try {
      open(broken);
    } catch (error) {
      note(error);
    }
  });

  it('has printed no secret at any level', () => {
    expect(printed.length).toBeGreaterThan(10);
    for (const secret of SECRETS) {
      expect(printed.filter(text => text.includes(secret))).toEqual([]);
    }
  });
});

/** The certificate that the server shows, as PEM text. */
async function offered({ port }: PostgresServer): Promise<string> {
  const { execFile } = await import('node:child_process');
  return new Promise(resolve => {
    const child = execFile(
      'openssl',
      ['s_client', '-starttls', 'postgres', '-connect', `127.0.0.1:${port}`],
      (_error, stdout) => resolve(stdout),
    );
    child.stdin?.end();
  });
}
