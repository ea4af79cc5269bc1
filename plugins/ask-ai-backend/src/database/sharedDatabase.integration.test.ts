import type { EmbeddingSpace } from 'backstage-plugin-ask-ai-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import type { PgVectorStore } from '../services/PgVectorStore';
import { contentsIn, contentsOf, DIMENSIONS, openStore, row, rows } from '../testing/loadFixtures';

const space = (model: string, dimensions = DIMENSIONS): EmbeddingSpace => ({
  provider: 'test',
  model,
  dimensions,
  chunkerVersion: 1,
});

/** What another store may leave, or has at work, that this one has at some time, too. */
const LEFT_BY_OTHERS = `
  create table public.embeddings_next (like public.embeddings including all);
  comment on table public.embeddings_next is '${JSON.stringify(space('other'))}';
  create table public.embeddings_load (like public.embeddings including all);
  create table public.indexed_documents_load (like public.indexed_documents including all);
  create table public.embeddings_load_shape (like public.embeddings);
  create table public.embeddings_load_changes (id text);
  create function public.embeddings_load_capture() returns trigger language plpgsql
    as 'begin return null; end';
  create index embeddings_vector_new_idx on public.embeddings using hnsw (vector vector_cosine_ops);
  create index embeddings_vector_old_idx on public.embeddings using hnsw (vector vector_cosine_ops)`;

describe('two stores in schemas of one database, one of them on the search path of the other', {
  timeout: 60_000,
}, () => {
  let database: TestDatabase;
  const stores: PgVectorStore[] = [];

  const open = async (schema: string) => {
    const store = await openStore(database.url, {
      postgresql: { connectionString: database.url, schema },
      dimensions: DIMENSIONS,
    });
    stores.push(store);
    return store;
  };

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'shared' });
    await query(database.url, 'create schema b');
  });

  afterEach(async () => {
    await Promise.all(stores.splice(0).map(store => store.close()));
    await database.drop();
  });

  /** All relations and functions of a schema, which a table of the same name in place of one would change. */
  const objectsOf = async (schema: string) =>
    query<{ oid: number; name: string }>(
      database.url,
      `select c.oid, relname as name from pg_class c where relnamespace = '${schema}'::regnamespace
         and relname ~ '^(embeddings|indexed_documents)'
       union all select oid, proname from pg_proc where pronamespace = '${schema}'::regnamespace
         and proname ~ '^embeddings'
       order by name`,
    );

  it('leave what belongs to the other where they remove, look for or rename what they do not have', async () => {
    const other = await open('public');
    await other.storeBatch(rows(20, 'other'));
    const store = await open('b');
    await query(database.url, LEFT_BY_OTHERS);
    const before = await objectsOf('public');
    expect(before.map(({ name }) => name)).toContain('embeddings_next_vector_idx');

    expect(await store.discardChangeOfSpace()).toBeUndefined();
    // Twice: the second time there is no index.
    await store.prepareForMany();
    await store.prepareForMany();
    await store.useEmbeddingSpace(space('wide', 16));
    await store.useEmbeddingSpace(space('first'));
    expect(await objectsOf('public')).toEqual(before);

    const loaded = rows(30, 'mine');
    await store.replaceAll(loaded);
    const signal = AbortSignal.abort(new Error('stopped by the test'));
    await expect(store.index.rebuild({ m: 8 }, { signal })).rejects.toThrow('stopped by the test');
    await store.index.rebuild({ m: 8 });
    await store.changeEmbeddingSpace(space('second'), async chunks =>
      chunks.map(({ id }) => row(id).vector),
    );
    expect(await objectsOf('public')).toEqual(before);
    expect(await contentsOf(store)).toEqual(contentsIn(loaded));
    expect(await store.vectorIndex()).toMatchObject({ state: 'valid', m: 8 });
    expect((await objectsOf('b')).map(({ name }) => name)).not.toContain('embeddings_next');
  });
});
