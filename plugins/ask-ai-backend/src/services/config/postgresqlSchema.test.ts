import { ConfigReader } from '@backstage/config';
import type { JsonObject } from '@backstage/types';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../errors';
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
});
