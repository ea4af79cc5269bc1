import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { query } from '../../../../../tests/services/connect';
import {
  createTestDatabase,
  type TestDatabase,
  testServerUrl,
} from '../../../../../tests/services/testDatabase';
import { ConfigurationError, VectorStoreUnavailableError } from '../../errors';
import { translateDatabaseError } from '../databaseErrors';
import { openPostgresConnection } from '../postgresConnection';
import type { AuthMethod, PasswordSource } from './PostgresCredentials';
import { passwordOf } from './passwordOf';

const HOUR_SECONDS = 3_600;

/** The token services of the three clouds, on this machine. */
class TokenServer {
  /** How often credentials or a token were asked for; part of what is answered. */
  calls = 0;
  expiresInSeconds = HOUR_SECONDS;
  isBroken = false;
  private readonly server: Server = createServer((request, response) => {
    const url = request.url ?? '';
    const headers = { 'content-type': 'application/json', 'metadata-flavor': 'Google' };
    const isToken = /\/token|\/credentials/.test(url);
    if (isToken) {
      this.calls++;
    }
    if (this.isBroken) {
      response.writeHead(400, headers).end(JSON.stringify({ error: 'secret-answer' }));
      return;
    }
    response.writeHead(200, headers).end(JSON.stringify(this.answer(url)));
  });

  async listen(): Promise<void> {
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve));
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private answer(url: string): unknown {
    const expires = new Date(Date.now() + this.expiresInSeconds * 1_000);
    if (url.startsWith('/credentials')) {
      return {
        AccessKeyId: `AKIATEST${this.calls}`,
        SecretAccessKey: 'secret-key-of-aws',
        Token: `session-${'x'.repeat(900)}`,
        Expiration: expires.toISOString().replace(/\.\d+/, ''),
      };
    }
    if (url.includes('/token')) {
      return {
        access_token: `secret-token-${this.calls}-${'y'.repeat(1_500)}`,
        expires_in: this.expiresInSeconds,
        expires_on: String(Math.floor(expires.getTime() / 1_000)),
        resource: 'https://ossrdbms-aad.database.windows.net',
        token_type: 'Bearer',
      };
    }
    return {};
  }
}

const METHODS: { auth: AuthMethod; variables: (address: string) => Record<string, string> }[] = [
  {
    auth: 'aws-iam',
    variables: address => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${address}/credentials`,
      AWS_REGION: 'eu-central-1',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
      AWS_CONFIG_FILE: '/nowhere',
    }),
  },
  {
    auth: 'azure',
    variables: address => ({
      IDENTITY_ENDPOINT: `http://${address}/token`,
      IDENTITY_HEADER: 'secret-header',
      AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    }),
  },
  {
    auth: 'gcp',
    variables: address => ({
      GCE_METADATA_HOST: address,
      METADATA_SERVER_DETECTION: 'assume-present',
    }),
  },
];

describe.each(METHODS)('auth: $auth', { timeout: 60_000 }, ({ auth, variables }) => {
  let database: TestDatabase;
  const services = new TokenServer();
  const role = `ask_ai_${auth.replace('-', '_')}_${process.pid}`;
  const target = {
    host: '127.0.0.1',
    port: Number(new URL(testServerUrl()).port || 5_432),
    user: role,
  };
  const setUp = () => {
    for (const [name, value] of Object.entries(variables(services.address))) {
      vi.stubEnv(name, value);
    }
  };
  const source = () => passwordOf({ auth }, target) as PasswordSource;

  beforeAll(async () => {
    await services.listen();
    database = await createTestDatabase({ name: 'tokens' });
    await query(database.url, `create role ${role} login`);
  }, 60_000);

  afterEach(() => {
    vi.unstubAllEnvs();
    vi.useRealTimers();
    services.isBroken = false;
    services.expiresInSeconds = HOUR_SECONDS;
  });

  afterAll(async () => {
    await query(database.url, `drop role ${role}`);
    await database.drop();
    services.close();
  });

  it('logs in by a token that the service hands out, the same for all connections', async () => {
    setUp();
    const before = services.calls;
    const tokens = source();
    const token = await tokens();
    expect(token.length).toBeGreaterThan(1_000);
    await query(database.url, `alter role ${role} password '${token}'`);
    const connection = openPostgresConnection(
      { ...target, database: database.name, password: tokens },
      { debug: () => {}, warn: () => {} },
    );
    await Promise.all(
      Array.from({ length: 4 }, () => connection.db.execute(sql`select pg_sleep(0.01)`)),
    );
    await connection.close();
    expect(services.calls - before).toBe(1);
  });

  it('shows the token to nobody, whether the server takes it or not', async () => {
    setUp();
    const tokens = source();
    const token = await tokens();
    const shown: string[] = [];
    const note = (...texts: unknown[]) => void shown.push(inspect(texts, { depth: 12 }));
    const outcomes: string[] = [];
    for (const password of [token, 'another']) {
      await query(database.url, `alter role ${role} password '${password}'`);
      const connection = openPostgresConnection(
        { ...target, database: database.name, password: tokens },
        { debug: note, warn: note },
      );
      await connection.db.execute(sql`select 1`).then(
        () => outcomes.push('taken'),
        error => {
          outcomes.push('refused');
          note(
            error,
            String(error),
            translateDatabaseError(error, 'log in', connection.description),
          );
        },
      );
      note(connection.description);
      await connection.close();
    }
    expect(outcomes).toEqual(['taken', 'refused']);
    expect(shown.join('\n')).toContain('28P01');
    // No part of it either.
    const start = Math.floor(token.length / 2);
    expect(shown.join('\n')).not.toContain(token.slice(start, start + 40));
  });

  it('gets another token when one is about to expire', async () => {
    setUp();
    services.expiresInSeconds = 2;
    const tokens = source();
    vi.useFakeTimers({ toFake: ['Date'] });
    const first = await tokens();
    const callsOfFirst = services.calls;
    vi.setSystemTime(Date.now() + HOUR_SECONDS * 1_000);
    services.expiresInSeconds = 2 * HOUR_SECONDS;
    expect(await tokens()).not.toBe(first);
    expect(services.calls).toBeGreaterThan(callsOfFirst);
  });

  it('tells the remedy when there is no token, and nothing of the answer', async () => {
    setUp();
    services.isBroken = true;
    // The libraries remember tokens of other tests in this process.
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 24 * HOUR_SECONDS * 1_000);
    const error = await source()().catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(VectorStoreUnavailableError);
    expect((error as Error).message).toMatch(`Could not get a token for the database by ${auth}`);
    expect(inspect(error, { depth: 12 })).not.toMatch(/secret-/);
  });

  it('names the package that is missing', async () => {
    const missing = passwordOf({ auth }, target, async name => {
      throw Object.assign(new Error(`Cannot find package '${name}'`), {
        code: 'ERR_MODULE_NOT_FOUND',
      });
    }) as PasswordSource;
    await expect(missing()).rejects.toThrow(ConfigurationError);
    await expect(missing()).rejects.toThrow(/run npm install \S+ in the backend/);
  });
});
