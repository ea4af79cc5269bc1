import { ConfigReader } from '@backstage/config';
import type { JsonObject } from '@backstage/types';
import { describe, expect, it } from 'vitest';
import type { VectorIndexOptions } from '../../database/vectorIndex/types';
import { ConfigurationError } from '../../errors';
import { ConfigService } from '../ConfigService';

function read(postgresql: JsonObject | undefined, client?: string): ConfigService {
  return ConfigService.fromConfig(
    new ConfigReader({
      askAi: { vectorStore: { ...(postgresql && { postgresql }) } },
      ...(client && { backend: { database: { client } } }),
    }),
  );
}

function problemsOf(postgresql: JsonObject): string[] {
  try {
    read(postgresql);
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

const INDEX = 'askAi.vectorStore.postgresql.index';
const SERVER = { host: 'db', database: 'd', user: 'u', password: 'p' };

describe('askAi.vectorStore.postgresql.index', () => {
  it('fixes nothing but the target when it is left out', () => {
    expect(read(undefined).getVectorIndexConfig()).toStrictEqual({ recallTarget: 0.95 });
    expect(read(SERVER).getVectorIndexConfig()).toStrictEqual({ recallTarget: 0.95 });
    expect(read({ index: {} }).getVectorIndexConfig()).toStrictEqual({ recallTarget: 0.95 });
  });

  it('gives what the store takes', () => {
    const index = { m: 24, efConstruction: 128, efSearch: 200, precision: 'half' } as const;
    const service = read({ ...SERVER, index: { ...index, recallTarget: 0.98 } });
    const options: VectorIndexOptions = service.getVectorIndexConfig();
    expect(options).toEqual({ ...index, recallTarget: 0.98 });
    expect(service.getPostgresConfig().index).toEqual(options);
  });

  it('accepts the texts that environment substitution gives', () => {
    expect(read({ index: { m: '24', recallTarget: '0.9' } }).getVectorIndexConfig()).toEqual({
      m: 24,
      recallTarget: 0.9,
    });
  });

  it.each([
    { m: 2, efConstruction: 4, efSearch: 1, recallTarget: 0.5 },
    { m: 100, efConstruction: 200, efSearch: 1_000, recallTarget: 0.999 },
    { efConstruction: 1_000 },
    { efConstruction: 32 },
    { m: 32 },
  ])('accepts the bounds %j', index => {
    expect(read({ index }).getVectorIndexConfig()).toMatchObject(index);
  });

  it.each([
    [{ m: 1 }, 'm to be an integer from 2 to 100, got 1'],
    [{ m: 101 }, 'm to be an integer from 2 to 100, got 101'],
    [{ m: 101, efConstruction: 64 }, 'm to be an integer from 2 to 100, got 101'],
    [{ m: 16.5 }, 'm to be an integer from 2 to 100, got 16.5'],
    [{ efConstruction: 3 }, 'efConstruction to be an integer from 4 to 1000, got 3'],
    [{ efConstruction: 1_001 }, 'efConstruction to be an integer from 4 to 1000, got 1001'],
    [{ efSearch: 0 }, 'efSearch to be an integer from 1 to 1000, got 0'],
    [{ efSearch: 1_001 }, 'efSearch to be an integer from 1 to 1000, got 1001'],
    [{ precision: 'binary' }, 'precision to be one of full, half, got "binary"'],
    [{ recallTarget: 0.49 }, 'recallTarget to be a number from 0.5 to 0.999, got 0.49'],
    [{ recallTarget: 1 }, 'recallTarget to be a number from 0.5 to 0.999, got 1'],
    [{ m: 20, efConstruction: 39 }, 'efConstruction to be at least 40, which is twice m, got 39'],
    [
      { efConstruction: 31 },
      'efConstruction to be at least 32, which is twice m (16 when it is not given), got 31',
    ],
    [
      { m: 33 },
      'm to be at most 32, which is half of efConstruction (64 when it is not given), got 33',
    ],
  ])('refuses %j', (index, problem) => {
    const expected = [`Expected ${INDEX}.${problem}`];
    expect(problemsOf({ index })).toEqual(expected);
    expect(problemsOf({ ...SERVER, index })).toEqual(expected);
  });

  it('refuses an unknown key and what is no object', () => {
    expect(problemsOf({ index: { efsearch: 100 } })).toEqual([
      `Unknown key ${INDEX}.efsearch; did you mean ${INDEX}.efSearch?`,
    ]);
    expect(problemsOf({ index: 100 })).toEqual([`Expected ${INDEX} to be an object, got 100`]);
  });
});

describe('a postgresql block that holds only the index', () => {
  const ALONE = { index: { precision: 'half' } };

  it('leaves the choice of the store to Backstage', () => {
    expect(read(ALONE).getVectorStoreType()).toBe('embedded');
    expect(read(ALONE, 'better-sqlite3').getVectorStoreType()).toBe('embedded');
    expect(read(ALONE, 'pg').getVectorStoreType()).toBe('postgresql');
  });

  it('describes no server', () => {
    const service = read(ALONE, 'pg');
    expect(service.getVectorStoreConfig().postgresql).toBeUndefined();
    expect(service.getVectorIndexConfig().precision).toBe('half');
    expect(() => service.getPostgresConfig()).toThrow(
      'to be an object with host, database, user and password, or with connectionString, got none',
    );
  });

  it.each([
    { maxConnections: 20 },
    { idleTimeoutMillis: 0 },
    { statementTimeoutMillis: 60_000, queryTimeoutMillis: 70_000 },
    { schema: 'ask_ai' },
    { ssl: true },
    { port: 5_432 },
  ])('says which server is missing once %j is beside it', settings => {
    const parts = ['host', 'database', 'user', 'password'];
    const problems = problemsOf({ ...ALONE, ...settings });
    expect(problems.map(problem => /postgresql\.(\w+) to be /.exec(problem)?.[1])).toEqual(parts);
  });

  it('is not an empty one, whose environment variables are not set', () => {
    expect(problemsOf({})).toHaveLength(4);
  });
});
