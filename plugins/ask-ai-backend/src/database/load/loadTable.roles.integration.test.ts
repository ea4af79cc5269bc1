import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../../tests/services/connect';
import { createTestDatabase, type TestDatabase } from '../../../../../tests/services/testDatabase';
import type { PgVectorStore } from '../../services/PgVectorStore';
import { describeTable } from '../../testing/describeTable';
import {
  contentsIn,
  contentsOf,
  DIMENSIONS,
  findLeftovers,
  openStore,
  row,
  rows,
  silent,
} from '../../testing/loadFixtures';
import { createTestRoles, type TestRoles } from '../../testing/testRoles';
import { openPostgresConnection } from '../postgresConnection';
import { beginCapture } from './captureChanges';

type Role = 'owners' | 'loader' | 'other' | 'writer' | 'reader';

const OLD = rows(50, 'old');

describe('a load by roles with different rights', () => {
  let database: TestDatabase;
  let roles: TestRoles<Role>;
  const stores: PgVectorStore[] = [];

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'roles' });
    roles = await createTestRoles(database.url, 'owners', 'loader', 'other', 'writer', 'reader');
    const { owners, loader, other } = roles.names;
    await query(
      database.url,
      `grant ${owners} to ${loader}, ${other}`,
      `revoke create on schema ${database.schema} from public`,
      `grant create, usage on schema ${database.schema} to ${owners}`,
    );
    await (await open('owners', { dimensions: DIMENSIONS })).storeBatch(OLD);
    const { writer, reader } = roles.names;
    await query(
      roles.urlOf('owners'),
      `grant select on all tables in schema ${database.schema} to ${reader}`,
      `grant select, insert, update, delete on all tables in schema ${database.schema} to ${writer}`,
    );
  });

  afterEach(async () => {
    await Promise.all(stores.splice(0).map(store => store.close()));
    await roles.drop();
    await database.drop();
  });

  const open = async (
    role: Role,
    options: Partial<Parameters<typeof openStore>[1]> = {},
  ): Promise<PgVectorStore> => {
    const store = await openStore(roles.urlOf(role), options);
    stores.push(store);
    return store;
  };

  it('leaves owner, grants, columns, constraints, indexes and settings as they were, whoever of the owners loads', async () => {
    const { loader, reader, writer } = roles.names;
    await query(
      roles.urlOf('owners'),
      `grant update (title, location) on embeddings to ${reader} with grant option`,
      `grant insert on embeddings to ${writer} with grant option`,
      'alter table embeddings set (autovacuum_vacuum_scale_factor = 0.05, fillfactor = 90)',
      'alter table embeddings enable row level security',
      `comment on table embeddings is 'What ask-ai''s answers come from'`,
      `comment on column embeddings.content is 'The text'`,
      'create index by_title on embeddings (title) where title is not null',
      'create unique index " USING odd" on embeddings (chunk_id, lower(id))',
    );
    // Not what a table that the loader makes gets by itself.
    await query(
      database.url,
      `alter default privileges for role ${loader} in schema ${database.schema} grant delete on tables to ${reader}`,
    );
    const before = await describeTable(database.url, 'embeddings');
    const recordsBefore = await describeTable(database.url, 'indexed_documents');
    const store = await open('loader');
    for (const prefix of ['first', 'second']) {
      const loaded = rows(300, prefix);
      await store.replaceAll(loaded);
      expect(await contentsOf(store)).toEqual(contentsIn(loaded));
      expect(await describeTable(database.url, 'embeddings')).toEqual(before);
      expect(await describeTable(database.url, 'indexed_documents')).toEqual(recordsBefore);
    }
    expect(before).toMatchObject({
      owner: roles.names.owners,
      columns: expect.arrayContaining([
        expect.objectContaining({ attname: 'vector', attstorage: 'm' }),
      ]),
    });
  });

  it('keeps row level security on, with which nobody but superusers sees a row without a policy', async () => {
    const store = await openStore(database.url);
    stores.push(store);
    await query(
      database.url,
      'alter table embeddings enable row level security, force row level security',
    );
    const loaded = rows(20, 'new');
    await store.replaceAll(loaded);
    expect(await contentsOf(store)).toEqual(contentsIn(loaded));
    expect(await describeTable(database.url, 'embeddings')).toMatchObject({
      relrowsecurity: true,
      relforcerowsecurity: true,
    });
    for (const role of ['owners', 'reader'] as const) {
      expect(await query(roles.urlOf(role), 'select id from embeddings')).toEqual([]);
    }
  });

  it('lets a role write during the load that may do no more than that, and after it', async () => {
    const [store, writer, reader] = [
      await open('loader'),
      await open('writer'),
      await open('reader', { migrate: false }),
    ];
    const loaded = rows(3_000, 'new');
    const key = { entityId: 'component:default/e1', source: 'techdocs' as const };
    const mine = row('mine', 'mine', key.entityId);
    async function* stream() {
      yield* loaded.slice(0, 10);
      await writer.store(row('stored'));
      await writer.replaceDocuments([{ ...key, fingerprint: '1', embedded: [mine], kept: [] }]);
      await writer.clear('component:default/e2');
      expect(await reader.count()).toBeGreaterThan(0);
      yield* loaded.slice(10);
    }
    await store.replaceAll(stream());
    const kept = loaded.filter(({ id }) => !/[12]$/.test(id));
    expect(await contentsOf(reader)).toEqual(contentsIn(kept, [row('stored'), mine]));

    await writer.store(row('later'));
    expect(await reader.count()).toBe(kept.length + 3);
    await expect(reader.store(row('never'))).rejects.toMatchObject({
      name: 'VectorStoreSchemaError',
    });
  });

  it('notes what a role does that may remove and not insert', async () => {
    const [store, remover] = [await open('loader'), await open('reader', { migrate: false })];
    const tables = 'embeddings, indexed_documents';
    await query(roles.urlOf('owners'), `grant delete on ${tables} to ${roles.names.reader}`);
    async function* stream() {
      yield row('gone', 'gone', 'component:default/e9');
      await remover.clear('component:default/e9');
      yield row('stays');
    }
    await store.replaceAll(stream());
    expect(await contentsOf(store)).toEqual(contentsIn([row('stays')]));
  });

  it('writes a stream row by row, with one warning, where the role may not exchange the table', async () => {
    const warnings: string[] = [];
    const store = await open('writer', {
      logger: { ...silent, warn: message => warnings.push(message) },
    });
    const loaded = rows(1_200, 'new');
    for (let round = 0; round < 2; round++) {
      await query(database.url, 'delete from embeddings');
      expect(await store.storeAll(loaded)).toEqual({ received: loaded.length });
      expect(await contentsOf(store)).toEqual(contentsIn(loaded));
    }
    const { owners, writer } = roles.names;
    expect(warnings).toEqual([
      expect.stringMatching(`Rows are written one by one.*GRANT ${owners} TO ${writer};`),
    ]);
  });

  it('has stored the rows, with a warning, where the role may not refresh the statistics', async () => {
    const { owners } = roles.names;
    await query(database.url, `alter table keyword_statistics owner to current_user`);
    await query(database.url, `grant select on keyword_statistics to ${owners}`);
    const warnings: string[] = [];
    const store = await open('loader', {
      logger: { ...silent, warn: message => warnings.push(message) },
    });
    expect(await store.replaceAll(rows(10, 'new'))).toEqual({ received: 10 });
    expect(await contentsOf(store)).toEqual(contentsIn(rows(10, 'new')));
    expect(warnings).toEqual([expect.stringMatching(/statistics.*keyword_statistics/)]);
  });

  it('refuses to replace everything where the role may not, and leaves it as it was', async () => {
    const store = await open('writer');
    const before = await describeTable(database.url, 'embeddings');
    const neverRead = {
      [Symbol.iterator]: () => {
        throw new Error('The stream was read');
      },
    };
    await expect(store.replaceAll(neverRead)).rejects.toMatchObject({
      name: 'VectorStoreSchemaError',
      message: expect.stringContaining(`GRANT ${roles.names.owners} TO ${roles.names.writer};`),
    });
    // The owners can't be given a table where they may make none.
    await query(
      database.url,
      `revoke create on schema ${database.schema} from ${roles.names.owners}`,
    );
    await query(database.url, `grant create on schema ${database.schema} to ${roles.names.loader}`);
    await expect((await open('loader')).replaceAll(neverRead)).rejects.toMatchObject({
      name: 'VectorStoreSchemaError',
      message: expect.stringMatching(/GRANT CREATE ON SCHEMA \w+ TO/),
    });
    expect(await contentsOf(store)).toEqual(contentsIn(OLD));
    expect(await describeTable(database.url, 'embeddings')).toEqual(before);
    expect(await findLeftovers(database.url)).toEqual([]);
  });

  it('leaves what a killed load left to the owners, of whom any removes it', async () => {
    const connection = openPostgresConnection(
      { connectionString: roles.urlOf('loader'), maxConnections: 1 },
      silent,
    );
    await connection.transaction(beginCapture);
    await connection.close();
    const warnings: string[] = [];
    const logger = { ...silent, warn: (message: string) => warnings.push(message) };
    const writer = await open('writer', { logger });
    await writer.storeAll([row('written')]);
    expect(await findLeftovers(database.url)).toContain('trigger embeddings_load_insert');

    const other = await open('other', { logger });
    // It waits for what the start does.
    await other.storeAll([]);
    expect(await findLeftovers(database.url)).toEqual([]);
    expect(warnings).toEqual([]);
    expect(await contentsOf(other)).toEqual(contentsIn(OLD, [row('written')]));
  });
});
