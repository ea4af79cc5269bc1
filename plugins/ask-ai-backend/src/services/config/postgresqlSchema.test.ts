import { ConfigReader } from '@backstage/config';
import type { JsonObject } from '@backstage/types';
import { describe, expect, it } from 'vitest';
import { poolConfig } from '../../database/poolConfig';
import { ConfigurationError } from '../../errors';
import { encryptText, generateKey } from '../../lib/encryptedText';
import { ConfigService } from '../ConfigService';

function read(askAi: JsonObject | undefined, others: JsonObject = {}): ConfigService {
  return ConfigService.fromConfig(new ConfigReader({ ...others, ...(askAi && { askAi }) }));
}

function problemsOf(askAi: JsonObject): string[] {
  try {
    read(askAi);
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

const POSTGRESQL = {
  host: 'db.example.com',
  database: 'backstage_vectors',
  user: 'backstage',
  password: 'hunter2',
};

describe('ConfigService on PostgreSQL', () => {
  it('takes the store for granted when a server is described', () => {
    expect(read({ vectorStore: { postgresql: POSTGRESQL } }).getVectorStoreType()).toBe(
      'postgresql',
    );
  });

  it('follows Backstage to PostgreSQL when nothing else is said', () => {
    const backend = { backend: { database: { client: 'pg' } } };
    expect(read({}, backend).getVectorStoreType()).toBe('postgresql');
    expect(read({ vectorStore: { type: 'memory' } }, backend).getVectorStoreType()).toBe('memory');
  });

  it('throws when the block is asked for and is not there', () => {
    const service = read({ vectorStore: { type: 'postgresql' } });
    expect(() => service.getPostgresConfig()).toThrow(ConfigurationError);
    expect(() => service.getPostgresConfig()).toThrow(
      'Expected askAi.vectorStore.postgresql to be an object with host, database, user and password',
    );
  });

  it('says which part of the target is missing, as when an environment variable is not set', () => {
    const { password, ...rest } = POSTGRESQL;
    expect(problemsOf({ vectorStore: { postgresql: rest } })).toEqual([
      'Expected askAi.vectorStore.postgresql.password to be a text (an empty one means no password), got nothing (if it comes from an environment variable, that is not set)',
    ]);
    expect(password).toBeDefined();
  });

  it('takes an empty password for none', () => {
    const service = read({ vectorStore: { postgresql: { ...POSTGRESQL, password: '' } } });
    expect(service.getPostgresConfig().password).toBeUndefined();
  });

  it('takes a connection string in place of the parts', () => {
    const service = read({
      vectorStore: { postgresql: { connectionString: 'postgresql://u:p@host/db' } },
    });
    expect(service.getPostgresConfig()).toMatchObject({
      connectionString: 'postgresql://u:p@host/db',
      port: undefined,
    });
  });

  it('keeps the query timeout above the statement timeout', () => {
    const limits = (given: JsonObject) =>
      read({ vectorStore: { postgresql: { ...POSTGRESQL, ...given } } }).getPostgresConfig();
    expect(limits({ statementTimeoutMillis: 60_000 }).queryTimeoutMillis).toBe(62_000);
    expect(
      problemsOf({ vectorStore: { postgresql: { ...POSTGRESQL, queryTimeoutMillis: 10_000 } } }),
    ).toEqual([
      'Expected askAi.vectorStore.postgresql.queryTimeoutMillis to be more than statementTimeoutMillis, which is 10000, got 10000',
    ]);
  });

  it.each([
    [
      { password: 'p', passwordFile: '/f' },
      'passwordFile to be left out, because password is given',
    ],
    [{ minConnections: 11 }, 'minConnections to be at most maxConnections, which is 10'],
    [{ auth: 'azure', password: undefined }, 'ssl to be true or an object'],
    [{ auth: 'gcp', ssl: true }, 'password to be left out, because auth is gcp'],
    [{ auth: 'kerberos' }, 'auth to be one of password, aws-iam, azure, gcp'],
    [{ ssl: { ca: './ca.pem' } }, 'ssl.ca to be the certificates of the authority as PEM text'],
  ] as [JsonObject, string][])('refuses %j', (given, problem) => {
    const problems = problemsOf({ vectorStore: { postgresql: { ...POSTGRESQL, ...given } } });
    expect(problems.join('\n')).toContain(problem);
    expect(problems.join('\n')).not.toContain('hunter2');
  });

  it.each([
    { passwordFile: '/run/secrets/p' },
    { auth: 'aws-iam', ssl: true },
    { auth: 'gcp', host: '127.0.0.1' },
  ])('needs no password beside %j', given => {
    const { password, ...rest } = POSTGRESQL;
    expect(password).toBeDefined();
    expect(problemsOf({ vectorStore: { postgresql: { ...rest, ...given } } })).toEqual([]);
  });

  it('says of TLS in one place', () => {
    const postgresql = {
      connectionString: 'postgresql://u:hunter2@h/d?sslmode=require',
      ssl: true,
    };
    expect(problemsOf({ vectorStore: { postgresql } })).toEqual([
      'Expected askAi.vectorStore.postgresql.ssl to be left out, because connectionString says sslmode, got a boolean',
    ]);
  });

  it.each([
    `host=db user=u password=hunter2 dbname=x`,
    'bad url',
    'postgresql://u:1/hunter2@h/d',
    'postgresql://u:hunter2@h/d?sslmode=verify-full&sslrootcert=%zz',
    'postgresql://u:hunter2@h/d?target_session_attrs=primary',
  ])('refuses the connection string %s, and shows nothing of it', connectionString => {
    const [problem, ...others] = problemsOf({ vectorStore: { postgresql: { connectionString } } });
    expect(problem).toMatch(
      /^Expected askAi.vectorStore.postgresql.connectionString to be a URL .*, got a string$/,
    );
    expect(problem).not.toContain('hunter2');
    expect(others).toEqual([]);
  });

  it('leaves what a connection string may say to the string', () => {
    const connectionString = 'postgresql://h/d?application_name=portal&connect_timeout=3';
    const config = read({ vectorStore: { postgresql: { connectionString } } }).getPostgresConfig();
    expect(poolConfig(config)).toMatchObject({
      application_name: 'portal',
      connectionTimeoutMillis: 3_000,
    });
  });

  it.each([
    ['postgresql://u@h/d?sslmode=disable', false],
    ['postgresql://u@h/d?ssl=false', false],
    ['postgresql://u@h/d', false],
    ['postgresql://u@h/d?application_name=sslmode', false],
    ['postgresql://u@h/d?sslmode=require', true],
    ['postgresql://u@h/d?ssl=true', true],
    ['postgresql://u@localhost/d', true],
    ['postgresql://u@/d?host=/run/postgresql', true],
  ])('allows tokens to be sent over %s: %s', (connectionString, isAllowed) => {
    for (const given of [{ auth: 'gcp' }, { reader: { user: 'r', auth: 'gcp' } }]) {
      const problems = problemsOf({ vectorStore: { postgresql: { connectionString, ...given } } });
      expect(problems.join('\n')).toMatch(isAllowed ? /^$/ : /ssl to be true or an object/);
    }
  });

  it('reads encrypted texts with the key of the environment, and tells what is wrong with it', () => {
    const key = generateKey();
    const connectionString = encryptText('postgresql://u:hunter2@h/d', key);
    const config = new ConfigReader({
      askAi: { vectorStore: { postgresql: { connectionString } } },
    });
    const readWith = (ASK_AI_SECRET_KEY?: string) =>
      ConfigService.fromConfig(config, {}, { ASK_AI_SECRET_KEY }).getPostgresConfig();
    expect(readWith(key).connectionString).toBe('postgresql://u:hunter2@h/d');
    expect(() => readWith()).toThrow('ASK_AI_SECRET_KEY is not set');
    expect(() => readWith('short')).toThrow('must be 32 bytes as base64');
    expect(() => readWith(generateKey())).toThrow('encrypted with another key');
  });
});
