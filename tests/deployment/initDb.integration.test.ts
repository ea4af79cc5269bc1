import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RIGHTS } from '../../plugins/ask-ai-backend/src/database/roles/rights';
import * as schema from '../../plugins/ask-ai-backend/src/database/schema';
import { PgVectorStore } from '../../plugins/ask-ai-backend/src/services/PgVectorStore';
import { row, silent } from '../../plugins/ask-ai-backend/src/testing/loadFixtures';
import { query } from '../services/connect';
import { testServerUrl } from '../services/testDatabase';
import { removeAll, runInitDb, urlFor } from './initDb';

/** What shells, psql, YAML, Backstage and URLs make something of. */
const ODD = {
  admin: `it's "an" \\admin:'x' $HOME \${PATH} %41`,
  writer: '`id` #{w} @/?&: w$1',
  reader: 'ré"d  %s | > r',
};

describe('scripts/init-db.sh', { timeout: 120_000 }, () => {
  let names: { database: string; admin: string; writer: string; reader: string };
  let variables: Record<string, string>;

  beforeEach(() => {
    const suffix = randomBytes(4).toString('hex');
    names = {
      database: `ask_ai_test_${suffix} "db" $HOME`,
      admin: `ask_ai_test_${suffix} ad"min`,
      writer: `ask_ai_test_${suffix}_writer's`,
      reader: `ask_ai_test_${suffix}_$reader`,
    };
    variables = {
      ASK_AI_DATABASE: names.database,
      ASK_AI_ADMIN_USER: names.admin,
      ASK_AI_ADMIN_PASSWORD: ODD.admin,
      ASK_AI_WRITER_USER: names.writer,
      ASK_AI_WRITER_PASSWORD: ODD.writer,
      ASK_AI_READER_USER: names.reader,
      ASK_AI_READER_PASSWORD: ODD.reader,
    };
  });

  afterEach(() => removeAll([names.database], [names.admin, names.writer, names.reader]));

  const asRole = (role: 'admin' | 'writer' | 'reader', password = ODD[role]) =>
    urlFor(names.database, names[role], password);

  it('makes roles, database, extension, rights and tables, and changes nothing the second time', async () => {
    expect(await runInitDb(variables)).toMatchObject({ code: 0 });
    const first = await describeDatabase(urlFor(names.database));
    expect(first.tables.map(({ name }) => name)).toEqual(RIGHTS.map(({ table }) => table).sort());
    expect(new Set(first.tables.map(({ owner }) => owner))).toEqual(new Set([names.admin]));
    expect(first.roles).toEqual(
      [names.admin, names.reader, names.writer]
        .sort()
        .map(rolname => ({ rolname, canDoMore: false, rolcanlogin: true })),
    );
    const second = await runInitDb(variables);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('is up to date') });
    expect(await describeDatabase(urlFor(names.database))).toEqual(first);
    for (const role of ['admin', 'writer', 'reader'] as const) {
      expect(await query(asRole(role), 'select count(*)::int as count from embeddings')).toEqual([
        { count: 0 },
      ]);
      await expect(query(asRole(role, 'wrong'), 'select 1')).rejects.toMatchObject({
        code: '28P01',
      });
    }
  });

  it('knows every table of the schema', async () => {
    const tables = Object.values(schema).filter(value => is(value, PgTable));
    expect(RIGHTS.map(({ table }) => table).sort()).toEqual(
      ['ask_ai_migrations', ...tables.map(getTableName)].sort(),
    );
  });

  it('takes over a store that one role did everything in, with what it holds', async () => {
    const { database, writer } = names;
    await runInitDb({ ...variables, ASK_AI_SKIP_MIGRATIONS: '1' });
    // As if it had been made without roles: by one that then writes.
    await query(urlFor(database), `grant create on schema public to "${writer}"`);
    const store = await PgVectorStore.create({
      postgresql: { connectionString: asRole('writer') },
      logger: silent,
      dimensions: 8,
    });
    await store.store(row('kept'));
    await store.close();
    await query(urlFor(database), `revoke create on schema public from "${writer}"`);

    expect(await runInitDb(variables)).toMatchObject({ code: 0 });
    const { tables } = await describeDatabase(urlFor(database));
    expect(new Set(tables.map(({ owner }) => owner))).toEqual(new Set([names.admin]));
    expect(await query(asRole('reader'), 'select id from embeddings')).toEqual([{ id: 'kept' }]);
    await expect(query(asRole('writer'), 'drop table embeddings')).rejects.toMatchObject({
      code: '42501',
    });
  });

  it('makes everything but the tables where Node is missing, and says so', async () => {
    const result = await runInitDb(variables, { hasNode: false });
    expect(result).toMatchObject({ code: 0, stderr: expect.stringMatching(/NO TABLES WERE MADE/) });
    expect((await describeDatabase(urlFor(names.database))).tables).toEqual([]);
  });

  it('takes passwords from files, and keeps those that are not given', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ask-ai-secrets-'));
    try {
      const { ASK_AI_ADMIN_PASSWORD: _, ...others } = variables;
      writeFileSync(join(folder, 'admin'), `${ODD.admin}\n`);
      const file = { ASK_AI_ADMIN_PASSWORD_FILE: join(folder, 'admin') };
      expect(await runInitDb({ ...others, ...file })).toMatchObject({ code: 0 });
      expect(await query(asRole('admin'), 'select 1 as one')).toEqual([{ one: 1 }]);
      const again = await runInitDb({ ...others, ASK_AI_WRITER_PASSWORD: 'another' });
      expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('is not given') });
      expect(await query(asRole('admin'), 'select 1 as one')).toEqual([{ one: 1 }]);
      expect(await query(asRole('writer', 'another'), 'select 1 as one')).toEqual([{ one: 1 }]);
      expect(await runInitDb({ ...variables, ...file })).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('both set'),
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    [{ ASK_AI_READER_PASSWORD: ' x' }, 'white space'],
    [{ ASK_AI_READER_PASSWORD: 'change-me-reader' }, 'the one of the example'],
    [{ ASK_AI_WRITER_PASSWORD: ODD.admin }, 'must differ'],
    [{ ASK_AI_WRITER_USER: 'same', ASK_AI_READER_USER: 'same' }, 'three different roles'],
  ])('refuses %j before it changes anything', async (wrong, message) => {
    const result = await runInitDb({ ...variables, ...wrong });
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
    expect(
      await query(testServerUrl(), `select 1 from pg_roles where rolname = '${names.reader}'`),
    ).toEqual([]);
  });

  it('fails with what the server said', async () => {
    const result = await runInitDb({ ...variables, PGPASSWORD: 'wrong' });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/password authentication failed/);
  });
});

/** What a run could change. */
async function describeDatabase(url: string) {
  return {
    tables: await query<{ name: string; owner: string }>(
      url,
      `select relname as name, pg_get_userbyid(relowner) as owner, relacl::text as rights
       from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`,
    ),
    schemas: await query(url, 'select nspname, nspacl::text from pg_namespace order by 1'),
    database: await query(
      url,
      'select datacl::text, pg_get_userbyid(datdba) from pg_database where datname = current_database()',
    ),
    extensions: await query(url, 'select extname, extversion from pg_extension order by 1'),
    roles: await query(
      url,
      `select rolname, rolcanlogin, rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls as "canDoMore"
       from pg_roles where has_database_privilege(rolname, current_database(), 'CONNECT')
         and rolname like split_part(current_database(), ' ', 1) || '%' order by 1`,
    ),
  };
}
