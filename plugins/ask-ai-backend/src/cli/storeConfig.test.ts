import { ConfigReader } from '@backstage/config';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors';
import { storeConfig } from './storeConfig';

const URL_OF_DATABASE = 'postgresql://backstage:hunter2@db.example.com/vectors';
const POSTGRESQL = { host: 'h', database: 'd', user: 'u', password: 'p' };

describe('storeConfig', () => {
  it('reads where the store lies', () => {
    const root = new ConfigReader({ askAi: { vectorStore: { postgresql: POSTGRESQL } } });
    expect(storeConfig(root).getPostgresConfig()).toMatchObject(POSTGRESQL);
  });

  it('follows Backstage to its own database', () => {
    const root = new ConfigReader({ backend: { database: { client: 'pg' } } });
    const config = storeConfig(root);
    expect(config.getVectorStoreType()).toBe('postgresql');
    expect(config.getVectorStoreConfig().postgresql).toBeUndefined();
  });

  it('is content without the settings of the models', () => {
    const root = new ConfigReader({ askAi: { embedding: { provider: 'openai' } } });
    expect(storeConfig(root).getVectorStoreType()).toBe('embedded');
  });

  it('tells what is wrong with the store', () => {
    const root = new ConfigReader({ askAi: { vectorStore: { type: 'sqlite' } } });
    expect(() => storeConfig(root)).toThrow(ConfigurationError);
  });

  it.each(['memory', 'postgresql'])('puts a given database in place of %s', type => {
    const index = { m: 24, recallTarget: 0.99 };
    const vectorStore = { type, postgresql: { ...POSTGRESQL, index } };
    const config = storeConfig(new ConfigReader({ askAi: { vectorStore } }), URL_OF_DATABASE);
    expect(config.getVectorStoreType()).toBe('postgresql');
    expect(config.getPostgresConfig()).toMatchObject({ connectionString: URL_OF_DATABASE });
    expect(config.getPostgresConfig().host).toBeUndefined();
    expect(config.getVectorIndexConfig()).toMatchObject(index);
  });

  it('takes a given database where nothing is configured', () => {
    const config = storeConfig(new ConfigReader({}), URL_OF_DATABASE);
    expect(config.getPostgresConfig().connectionString).toBe(URL_OF_DATABASE);
  });

  it.each([
    [
      'mysql://root:hunter2@localhost/x',
      'to be a URL such as postgresql://user@host:5432/database',
    ],
    ['host=db user=u password=hunter2', 'to be a URL such as postgresql://user@host:5432/database'],
    ['postgresql://u:1/hunter2@h/x', 'encode special characters of the password'],
    ['postgresql://u:hunter2@h/x?sslmode=verify-ca&sslrootcert=%zz', 'sslrootcert'],
  ])('refuses %s, and does not repeat it', (url, problem) => {
    const open = () => storeConfig(new ConfigReader({}), url);
    expect(open).toThrow(problem);
    expect(open).not.toThrow('hunter2');
  });
});
