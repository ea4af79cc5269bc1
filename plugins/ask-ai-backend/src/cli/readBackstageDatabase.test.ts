import { ConfigReader } from '@backstage/config';
import type { JsonObject } from '@backstage/types';
import { describe, expect, it } from 'vitest';
import { type DatabaseModule, readBackstageDatabase } from './readBackstageDatabase';
import { createTerminal } from './terminal';
import { createWarningsLogger } from './warningsLogger';

const silent = { write: () => {} };
const logger = createWarningsLogger(createTerminal(silent, silent, {}));

/** Nothing listens on port 1: whoever connects fails. */
const CONNECTION = { host: '127.0.0.1', port: 1, user: 'backstage', password: 'hunter2' };

function configOf(database: JsonObject) {
  return new ConfigReader({ backend: { database } });
}

function moduleNotFound(name: string) {
  return Object.assign(new Error(`Cannot find package '${name}' imported from x.js`), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
}

describe('readBackstageDatabase', () => {
  it("finds the plugin's database without connecting", async () => {
    const config = configOf({ client: 'pg', connection: CONNECTION });
    expect(await readBackstageDatabase(config, logger)).toMatchObject({
      ...CONNECTION,
      database: 'backstage_plugin_ask-ai',
    });
  });

  it('finds the schema where plugins share a database', async () => {
    const config = configOf({
      client: 'pg',
      pluginDivisionMode: 'schema',
      ensureSchemaExists: true,
      connection: { ...CONNECTION, database: 'backstage' },
    });
    expect(await readBackstageDatabase(config, logger)).toMatchObject({
      database: 'backstage',
      schema: 'ask-ai',
    });
  });

  it.each([
    { client: 'better-sqlite3', connection: ':memory:' },
    {
      client: 'pg',
      connection: CONNECTION,
      plugin: { 'ask-ai': { client: 'better-sqlite3', connection: ':memory:' } },
    },
  ])('finds none in %j, and does not open it', async database => {
    const load = () => Promise.reject(new Error('must not be loaded'));
    expect(await readBackstageDatabase(configOf(database), logger, load)).toBeUndefined();
  });

  it('leaves no pool and no timer behind', async () => {
    const released: string[] = [];
    const module: DatabaseModule = {
      DatabaseManager: {
        fromConfig: (_config, { rootLifecycle }) => {
          rootLifecycle.addShutdownHook(() => void released.push('timer'));
          const client = { config: { client: 'pg', connection: CONNECTION } };
          const knex = { client, destroy: async () => void released.push('pool') };
          return { forPlugin: () => ({ getClient: async () => knex }) as never };
        },
      },
    };
    const config = configOf({ client: 'pg', connection: CONNECTION });
    await readBackstageDatabase(config, logger, async () => module);
    expect(released).toEqual(['pool', 'timer']);
  });

  it('says what to do without the package that finds the database', async () => {
    const config = configOf({ client: 'pg', connection: CONNECTION });
    const read = (name: string) =>
      readBackstageDatabase(config, logger, () => Promise.reject(moduleNotFound(name)));
    await expect(read('@backstage/backend-defaults')).rejects.toThrow(
      'give the database with --database-url',
    );
    await expect(read('knex')).rejects.toThrow("Cannot find package 'knex'");
  });
});
