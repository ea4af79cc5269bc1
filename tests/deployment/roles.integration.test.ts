import { mockServices } from '@backstage/backend-test-utils';
import { ConfigReader } from '@backstage/config';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selectRows } from '../../plugins/ask-ai-backend/src/database/connection';
import { driverError } from '../../plugins/ask-ai-backend/src/database/databaseErrors';
import { openRoleConnections } from '../../plugins/ask-ai-backend/src/database/roles/openRoleConnections';
import { createRuntime } from '../../plugins/ask-ai-backend/src/runtime';
import { ConfigService } from '../../plugins/ask-ai-backend/src/services/ConfigService';
import { VectorStoreFactory } from '../../plugins/ask-ai-backend/src/services/VectorStoreFactory';
import { row, rows, silent } from '../../plugins/ask-ai-backend/src/testing/loadFixtures';
import { query } from '../services/connect';
import { testServerUrl } from '../services/testDatabase';
import { removeAll, runInitDb, urlFor } from './initDb';
import {
  type Context,
  MUST_BE_REFUSED,
  MUST_WORK,
  NAMES,
  QUERY,
  type Role,
  SPACE,
} from './roleCases';

const DATABASE = NAMES.admin.replace('admin', 'roles');
const PASSWORDS: Record<Role, string> = { admin: 'a', writer: 'w', reader: 'r' };

/** SQLSTATE insufficient_privilege, and 28000 for a role that may not be taken on. */
const REFUSED = /^(42501|28000)$/;

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
