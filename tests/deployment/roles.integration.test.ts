import { randomBytes } from 'node:crypto';
import { mockServices } from '@backstage/backend-test-utils';
import { ConfigReader } from '@backstage/config';
import type { EmbeddingSpace } from 'backstage-plugin-ask-ai-node';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type DatabaseConnection,
  selectRows,
} from '../../plugins/ask-ai-backend/src/database/connection';
import { driverError } from '../../plugins/ask-ai-backend/src/database/databaseErrors';
import { openRoleConnections } from '../../plugins/ask-ai-backend/src/database/roles/openRoleConnections';
import { createRuntime } from '../../plugins/ask-ai-backend/src/runtime';
import { ConfigService } from '../../plugins/ask-ai-backend/src/services/ConfigService';
import { PgVectorStore } from '../../plugins/ask-ai-backend/src/services/PgVectorStore';
import {
  type OpenStores,
  VectorStoreFactory,
} from '../../plugins/ask-ai-backend/src/services/VectorStoreFactory';
import { row, rows, silent } from '../../plugins/ask-ai-backend/src/testing/loadFixtures';
import { noProgress } from '../../plugins/ask-ai-backend/src/types';
import { query } from '../services/connect';
import { testServerUrl } from '../services/testDatabase';
import { removeAll, runInitDb, urlFor } from './initDb';

type Role = 'admin' | 'writer' | 'reader';

const SUFFIX = randomBytes(4).toString('hex');
const DATABASE = `ask_ai_test_${SUFFIX}_roles`;
const NAMES: Record<Role, string> = {
  admin: `ask_ai_test_${SUFFIX}_admin`,
  writer: `ask_ai_test_${SUFFIX}_writer`,
  reader: `ask_ai_test_${SUFFIX}_reader`,
};
const PASSWORDS: Record<Role, string> = { admin: 'a', writer: 'w', reader: 'r' };
const SPACE: EmbeddingSpace = { provider: 'test', model: 'm', dimensions: 8, chunkerVersion: 1 };
const KEY = { entityId: 'component:default/e1', source: 'techdocs' as const };
const QUERY = row('7').vector;
const owner = { instanceId: 'test', hostname: 'test', pid: 1 };

/** SQLSTATE insufficient_privilege, and 28000 for a role that may not be taken on. */
const REFUSED = /^(42501|28000)$/;

/** By the pools of the product: what a role must be able to do. */
const MUST_WORK: Record<Role, Record<string, (context: Context) => Promise<unknown>>> = {
  reader: {
    'search by vector': ({ store }) => store.search(QUERY, 5),
    'search one entity': ({ store }) => store.search(QUERY, 5, 'component:default/e2'),
    'search by words and vector': ({ store }) =>
      store.searchRanked({ mode: 'hybrid', text: 'new', vector: QUERY, topK: 5, space: SPACE }),
    count: ({ store }) => store.count(),
    'tell how much is stored': ({ store }) => store.stats(),
    export: ({ store }) => first(store.export()),
    'list documents': ({ store }) => first(store.documents()),
    'read the embedding space': ({ store }) => store.embeddingSpace(),
    'measure the index': ({ store }) => asPg(store).index.measureRecall({ sampleSize: 5 }),
    'explain searches': ({ store }) => asPg(store).index.explain(),
  },
  writer: {
    'store a chunk': ({ store }) => store.store(row('stored')),
    'replace a document': ({ store }) =>
      store.replaceDocuments([
        { ...KEY, fingerprint: '1', embedded: [row('mine', 'm', KEY.entityId)], kept: [] },
      ]),
    'remove a document': ({ store }) => store.removeDocument(KEY),
    'clear an entity': ({ store }) => store.clear('component:default/e3'),
    'clear everything': ({ store }) => store.clear(),
    'claim an embedding space': ({ store }) => store.useEmbeddingSpace(SPACE),
    'store the measured index settings': ({ connection }) =>
      connection.db.execute(sql`update vector_index_calibration set ef_search = ef_search`),
    'queue, take and finish a run': async ({ runs }) => {
      await runs.enqueue({ trigger: 'manual' });
      const run = await runs.claim(owner);
      if (typeof run === 'string') {
        throw new Error(run);
      }
      await runs.heartbeat(run.id, noProgress());
      await runs.finish(run.id, 'completed', noProgress());
    },
    'record and forget a failure': async ({ runs }) => {
      await runs.recordFailure({ ...KEY, reason: 'r' });
      await runs.failures(1);
      await runs.forgetFailure(KEY);
    },
    'record, rate and forget a question': async ({ questions }) => {
      await questions.record({ id: 'q', model: 'm', found: false, text: 't' });
      await questions.rate('q', { rating: 'unhelpful' });
      await questions.unanswered(5);
      await questions.forget(new Date());
    },
  },
  admin: {
    'load the table': ({ store }) => store.replaceAll(rows(50, 'again')),
    're-embed into another dimension': ({ store }) =>
      store.changeEmbeddingSpace({ ...SPACE, model: 'n', dimensions: 4 }, async chunks =>
        chunks.map((_, position) => [1, position, 0, 0]),
      ),
    'rebuild the vector index': ({ store }) => asPg(store).index.build({ m: 8 }),
    'refresh statistics': ({ store }) => store.refreshStatistics(),
    vacuum: async ({ connection }) =>
      connection.admin.withMaintenanceSession(session => session.execute(sql`vacuum embeddings`)),
    'alter a table': ({ connection }) =>
      connection.admin.db.execute(
        sql`alter table embeddings set (autovacuum_vacuum_scale_factor = 0.1)`,
      ),
    'make a table': ({ connection }) =>
      connection.admin.db.execute(sql`create table admins_own (id text)`),
  },
};

/** By plain SQL on the pools of the product: what a role must be refused. */
const MUST_BE_REFUSED: Record<Role, Record<string, string>> = {
  reader: {
    'insert chunks': `insert into embeddings (id) values ('x')`,
    'change chunks': `update embeddings set content = ''`,
    'remove chunks': 'delete from embeddings',
    'empty the table': 'truncate embeddings',
    'change statistics of words': 'delete from keyword_statistics',
    'change the index settings': 'update vector_index_calibration set ef_search = 1',
    'change the embedding space': 'delete from embedding_space',
    'change records of documents': 'delete from indexed_documents',
    'see who asked for runs': 'select * from index_runs',
    'ask for a run': `insert into index_runs (id, trigger, state) values ('x', 'manual', 'queued')`,
    'see what failed': 'select * from index_failures',
    'read questions': 'select * from asked_questions',
    'record a question': `insert into asked_questions (id, model, found) values ('x', 'm', true)`,
    'make a table': 'create table x (id text)',
    'make a temporary table': 'create temporary table x (id text)',
    'keep everybody waiting': 'do $$ begin lock table embeddings in access exclusive mode; end $$',
    'become the writer': `set role ${NAMES.writer}`,
    'become the admin': `set role ${NAMES.admin}`,
  },
  writer: {
    'make a table': 'create table x (id text)',
    'make a temporary table': 'create temporary table x (id text)',
    'make an index': 'create index on embeddings (title)',
    'drop the vector index': 'drop index embeddings_vector_idx',
    'alter a table': 'alter table embeddings add column x text',
    'drop a table': 'drop table embeddings',
    'empty a table': 'truncate embeddings',
    'switch triggers off': 'alter table embeddings disable trigger all',
    'forge the journal of migrations': `insert into ask_ai_migrations (hash, created_at) values ('x', 1)`,
    'take a table over': `alter table embeddings owner to ${NAMES.writer}`,
    'make an extension': 'create extension pg_trgm',
    'make a role': 'create role x',
    'become the admin': `set role ${NAMES.admin}`,
  },
  admin: {
    'make a role': 'create role x',
    'make a database': 'create database x',
    'make a schema': 'create schema x',
    'drop the extension': 'drop extension vector',
    'change the server': `alter system set work_mem = '1MB'`,
    'read files of the server': `select pg_read_file('postgresql.conf')`,
    'start programs on the server': `copy (select 1) to program 'true'`,
    'become a superuser': 'set role postgres',
  },
};

interface Context extends OpenStores {
  connection: DatabaseConnection;
}

describe('the roles that scripts/init-db.sh makes', { timeout: 120_000 }, () => {
  let context: Context;

  const postgresql = (roles: Role[] = ['admin', 'reader']) => {
    const { hostname, port } = new URL(testServerUrl());
    const login = (role: Role) => ({ user: NAMES[role], password: PASSWORDS[role] });
    return {
      host: hostname,
      port: Number(port || 5432),
      database: DATABASE,
      ...login('writer'),
      ...Object.fromEntries(roles.map(role => [role, login(role)])),
    };
  };
  const configOf = (block: object) =>
    ConfigService.fromConfig(
      new ConfigReader({
        // Each question after the health is answered anew.
        askAi: { healthCheckIntervalMs: 0, vectorStore: { postgresql: block } },
      }),
    );
  const logger = mockServices.logger.mock();
  const asSuperuser = (...statements: string[]) => query(urlFor(DATABASE), ...statements);

  beforeAll(async () => {
    const result = await runInitDb({
      ASK_AI_DATABASE: DATABASE,
      ...Object.fromEntries(
        (['admin', 'writer', 'reader'] as const).flatMap(role => [
          [`ASK_AI_${role.toUpperCase()}_USER`, NAMES[role]],
          [`ASK_AI_${role.toUpperCase()}_PASSWORD`, PASSWORDS[role]],
        ]),
      ),
    });
    expect(result).toMatchObject({ code: 0 });
    const opened = await VectorStoreFactory.open(configOf(postgresql()), logger);
    context = { ...opened, connection: openRoleConnections(postgresql(), silent) };
    // The live tables are by now such as were made beside them and put in their place.
    const { store } = context;
    await store.useEmbeddingSpace({ ...SPACE, dimensions: 24 });
    await store.useEmbeddingSpace(SPACE);
    await store.replaceAll(rows(200, 'new'));
    await store.changeEmbeddingSpace({ ...SPACE, model: 'other' }, async chunks =>
      chunks.map(({ id }) => row(id).vector),
    );
    await store.changeEmbeddingSpace(SPACE, async chunks => chunks.map(({ id }) => row(id).vector));
  }, 120_000);

  afterAll(async () => {
    await context?.connection.close();
    await context?.store.close();
    await removeAll([DATABASE], Object.values(NAMES));
  });

  const poolOf = (role: Role) => {
    const { connection } = context;
    return (role === 'writer' ? connection : connection[role]).db;
  };

  describe.each(['reader', 'writer', 'admin'] as const)('%s', role => {
    it('is who works on its pool', async () => {
      const found = await selectRows(poolOf(role), sql`select current_user as name`);
      expect(found).toEqual([{ name: NAMES[role] }]);
    });

    it.each(Object.keys(MUST_BE_REFUSED[role]))('may not %s', async name => {
      const statement = MUST_BE_REFUSED[role][name] ?? '';
      const error = await poolOf(role)
        .execute(sql.raw(statement))
        .then(
          () => undefined,
          (reason: unknown) => driverError(reason),
        );
      expect(error?.code).toMatch(REFUSED);
    });

    it.each(Object.keys(MUST_WORK[role]))('may %s', async name => {
      await MUST_WORK[role][name]?.(context);
    });
  });

  it('may not hand on what they were given, not even where PostgreSQL only warns', async () => {
    const rights = `select relacl::text from pg_class where relname = 'embeddings'`;
    const before = await asSuperuser(rights);
    for (const role of ['reader', 'writer'] as const) {
      await poolOf(role)
        .execute(sql`grant select on embeddings to public`)
        .catch(error => expect(driverError(error).code).toMatch(REFUSED));
    }
    expect(await asSuperuser(rights)).toEqual(before);
  });

  it('search as the reader, and store as the writer', async () => {
    const { writer, reader } = NAMES;
    const { store } = context;
    await store.useEmbeddingSpace(SPACE).catch(() => store.clear());
    await store.useEmbeddingSpace(SPACE);
    await store.storeBatch(rows(5, 'few'));
    await asSuperuser(`revoke all on embeddings from ${writer}`);
    expect(await store.search(QUERY, 5)).toHaveLength(5);
    expect(await store.count()).toBe(5);
    await expect(store.store(row('never'))).rejects.toMatchObject({
      name: 'VectorStoreSchemaError',
    });
    await asSuperuser(
      `grant select, insert, update, delete on embeddings to ${writer}`,
      `revoke all on embeddings from ${reader}`,
    );
    await store.store(row('stored'));
    await expect(store.search(QUERY, 5)).rejects.toMatchObject({ name: 'VectorStoreSchemaError' });
    // The next start with the admin's credential gives back what is missing.
    await (await VectorStoreFactory.open(configOf(postgresql()), logger)).store.close();
    expect(await store.search(QUERY, 10)).toHaveLength(6);
  });

  it('let a backend without the admin work, which says what it can not do', async () => {
    const { store, checks } = await VectorStoreFactory.open(
      configOf(postgresql(['reader'])),
      logger,
    );
    try {
      await store.clear();
      expect(await store.storeAll(rows(1_200, 'slow'))).toEqual({ received: 1_200 });
      const remedy = `give the credential of ${NAMES.admin} as askAi.vectorStore.postgresql.admin.`;
      expect(logger.warn).toHaveBeenCalledWith(expect.stringContaining(remedy));
      expect(await checks?.roles()).toContain(remedy);
      expect(await store.vectorIndex()).toMatchObject({
        state: 'valid',
        message: expect.stringContaining(remedy),
      });
      expect((await store.search(QUERY, 3)).length).toBe(3);
      await expect(store.replaceAll([])).rejects.toMatchObject({ name: 'VectorStoreSchemaError' });
    } finally {
      await store.close();
    }
  });

  it('are told apart in /health', async () => {
    const open = (roles: Role[]) =>
      createRuntime({
        config: configOf(postgresql(roles)),
        logger,
        collectors: [],
        extensions: {
          embeddingProviders: new Map(),
          languageModels: new Map(),
          vectorStores: new Map(),
          collectors: [],
        },
      });
    const [all, withoutAdmin] = [await open(['admin', 'reader']), await open(['reader'])];
    try {
      const health = await all.health();
      expect(health.checks.store).toEqual({ status: 'ok', latencyMs: expect.any(Number) });
      expect(health.checks.roles).toMatchObject({ status: 'ok' });
      expect((await withoutAdmin.health()).checks.roles).toMatchObject({
        status: 'warning',
        message: expect.stringMatching(/^Rows are written one by one/),
      });
      await asSuperuser(
        `alter role ${NAMES.writer} nologin`,
        `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${NAMES.writer}'`,
      );
      expect((await all.health()).checks.roles).toMatchObject({ status: 'error' });
    } finally {
      await asSuperuser(`alter role ${NAMES.writer} login`);
      await Promise.all([all.close(), withoutAdmin.close()]);
    }
  });

  it.each(['admin', 'reader'] as const)(
    'refuse a start with a wrong password of the %s, by name',
    async role => {
      const block = { ...postgresql(), [role]: { user: NAMES[role], password: 'wrong' } };
      await expect(VectorStoreFactory.open(configOf(block), logger)).rejects.toMatchObject({
        name: 'VectorStoreUnavailableError',
        message: expect.stringContaining(`as ${NAMES[role]}`),
      });
    },
  );

  it('may be given beside a connection string', async () => {
    const login = (role: Role) => ({ user: NAMES[role], password: PASSWORDS[role] });
    const connectionString = urlFor(DATABASE, NAMES.writer, PASSWORDS.writer);
    const { store } = await VectorStoreFactory.open(
      configOf({ connectionString, admin: login('admin'), reader: login('reader') }),
      logger,
    );
    expect(await store.replaceAll(rows(3, 'loaded'))).toEqual({ received: 3 });
    expect(await store.count()).toBe(3);
    await store.close();
  });
});

async function first<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) {
    return item;
  }
  return undefined;
}

function asPg(store: unknown): PgVectorStore {
  expect(store).toBeInstanceOf(PgVectorStore);
  return store as PgVectorStore;
}
