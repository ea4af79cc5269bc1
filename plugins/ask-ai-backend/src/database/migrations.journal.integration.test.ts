import { sql } from 'drizzle-orm';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { PgVectorStore } from '../services/PgVectorStore';
import { silent } from '../testing/loadFixtures';
import { MigrationsCopy } from '../testing/migrationFixtures';
import { type DatabaseConnection, selectRows } from './connection';
import { migrationsFolder, readMigrations } from './migration/migrationFiles';
import { migrate } from './migrator';
import { openPostgresConnection } from './postgresConnection';

describe('the journal of migrations', { timeout: 60_000 }, () => {
  let database: TestDatabase;
  let connection: DatabaseConnection;
  let other: MigrationsCopy;

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'journal' });
    connection = openPostgresConnection({ connectionString: database.url }, silent);
    other = new MigrationsCopy();
  });

  afterEach(async () => {
    other.dispose();
    await connection.close();
    await database.drop();
  });

  const refusal = (message: RegExp) => ({
    name: 'VectorStoreSchemaError',
    message: expect.stringMatching(message),
  });

  const applied = async (): Promise<number> =>
    (await selectRows(connection.db, sql`select from ask_ai_migrations`)).length;

  /** What a contracting migration writes; see docs/MIGRATION_GUIDE.md. */
  const needs = (name: string) => `COMMENT ON TABLE "ask_ai_migrations" IS 'ask-ai needs ${name}';`;

  it('counts files as drizzle-kit does', () => {
    const theirs = readMigrationFiles({ migrationsFolder: migrationsFolder() });
    const ours = readMigrations(migrationsFolder());
    expect(ours.map(({ when, hash }) => ({ when, hash }))).toEqual(
      theirs.map(({ folderMillis, hash }) => ({ when: folderMillis, hash })),
    );
  });

  it('refuses a migration that was edited after it was applied', async () => {
    await migrate(connection);
    other.edit('0001_initial_schema.sql', text => text.replace('"title" text', '"title" varchar'));
    await expect(migrate(connection, other.folder)).rejects.toMatchObject(
      refusal(/0001_initial_schema was edited.*Restore the file.*db:generate/),
    );
  });

  it('takes no other line ends for an edit', async () => {
    await migrate(connection);
    other.edit('0001_initial_schema.sql', text => text.replaceAll('\n', '\r\n'));
    expect(await migrate(connection, other.folder)).toBe(0);
  });

  it('refuses when the file of an applied migration is missing', async () => {
    await migrate(connection);
    await expect(migrate(connection, other.remove(2).folder)).rejects.toMatchObject(
      refusal(/generated at 20\d\d-.* is applied .* its file is missing.*Restore/),
    );
    other.removeFile('0001_initial_schema.sql');
    await expect(migrate(connection, other.folder)).rejects.toMatchObject(
      refusal(/0001_initial_schema\.sql can't be read.*Install the package again/),
    );
  });

  it('refuses a migration that is older than what is applied, and applies none', async () => {
    await migrate(connection);
    const before = await applied();
    other.add('late', 'create table late ();', '', 1).add('new', 'create table new ();');
    await expect(migrate(connection, other.folder)).rejects.toMatchObject(
      refusal(/_late is not applied .* which is newer, is.*Generate it anew/),
    );
    expect(await applied()).toBe(before);
  });

  it('lets a version go on before which a newer one has added something', async () => {
    other.add('locale', 'alter table embeddings add column locale text;');
    await migrate(connection, other.folder);
    expect(await migrate(connection)).toBe(0);
    const store = await PgVectorStore.create({ connection, logger: silent });
    expect(await store.count()).toBe(0);
    await store.close();
  });

  it('refuses a version that a newer one has taken something from', async () => {
    other.add('expand', 'alter table embeddings add column words tsvector;');
    await migrate(connection, other.folder);
    const name = other.entries.at(-1)?.tag ?? '';
    const atExpand = readMigrations(other.folder);
    other.add(
      'contract',
      `alter table embeddings drop column content_tsv;\n--> statement-breakpoint\n${needs(name)}`,
    );
    expect(await migrate(connection, other.folder)).toBe(1);
    // The version of the contraction goes on, and so does that of the expansion.
    expect(await migrate(connection, other.folder)).toBe(0);
    expect(await migrate(connection, other.keep(atExpand.length).folder)).toBe(0);
    const refused = refusal(
      new RegExp(
        `newer version .* needs migration ${name}, .* none after .*Install the newer version`,
      ),
    );
    await expect(migrate(connection)).rejects.toMatchObject(refused);
    for (const mayMigrate of [true, false]) {
      const opened = PgVectorStore.create({
        postgresql: { connectionString: database.url },
        logger: silent,
        migrate: mayMigrate,
      });
      await expect(opened).rejects.toMatchObject(refused);
    }
  });

  it('lets a role that may not read the journal open the store without migrating', async () => {
    await migrate(connection);
    const role = `reader_${process.pid}_${Date.now()}`;
    const url = new URL(database.url);
    url.searchParams.set('options', `-c role=${role}`);
    await connection.db.execute(sql.raw(`create role ${role}`));
    try {
      await connection.db.execute(
        sql.raw(`grant select on embeddings, embedding_space, vector_index_calibration to ${role}`),
      );
      const open = () =>
        PgVectorStore.create({
          postgresql: { connectionString: url.href },
          logger: silent,
          migrate: false,
        });
      const store = await open();
      expect(await store.count()).toBe(0);
      await store.close();
      await connection.db.execute(sql.raw(needs('9999_newer')));
      await expect(open()).rejects.toMatchObject(refusal(/needs migration 9999_newer/));
    } finally {
      await connection.db.execute(sql.raw(`drop owned by ${role}`));
      await connection.db.execute(sql.raw(`drop role ${role}`));
    }
  });
});
