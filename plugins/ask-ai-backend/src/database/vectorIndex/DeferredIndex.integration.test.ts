import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PgVectorStore } from '../../services/PgVectorStore';
import { embeddings, queryVectors, ServerStores } from '../../testing/serverStores';
import { createTestRoles } from '../../testing/testRoles';

const DIMENSIONS = 16;
const FEW = 900;
const MANY = 1_100;

describe('a store that is prepared for many rows', { timeout: 60_000 }, () => {
  let stores: ServerStores;
  let store: PgVectorStore;

  beforeEach(async () => {
    stores = await ServerStores.create();
    ({ store } = await stores.open({ dimensions: DIMENSIONS }));
  });

  afterEach(() => stores.close());

  const write = async (first: number, rows: number) =>
    store.storeBatch([...embeddings(rows, { dimensions: DIMENSIONS, first, seed: first })]);

  const hits = async (searched: PgVectorStore = store) =>
    (await searched.search(queryVectors(DIMENSIONS).next(), 30)).map(
      ({ documentChunk }) => documentChunk.id,
    );

  it('writes without its vector index, searches all the same, and builds it at the end', async () => {
    await write(0, FEW);
    const { store: replica } = await stores.open({ migrate: false });
    await store.prepareForMany();
    expect(await stores.vectorIndexes()).toEqual([]);
    await write(FEW, MANY);
    expect(await store.vectorIndex()).toMatchObject({
      state: 'missing',
      message: expect.stringContaining('A first index run builds it at its end'),
    });
    const found = await hits();
    expect(found).toHaveLength(30);
    expect(await hits(replica)).toEqual(found);

    await store.refreshStatistics();
    expect(await store.vectorIndex()).toMatchObject({ state: 'valid', m: 16, efConstruction: 64 });
    expect(await hits(replica)).toHaveLength(30);
  });

  it('keeps what the index was built with, though the configuration does not say it', async () => {
    await store.index.rebuild({ m: 8, efConstruction: 40, precision: 'half' });
    await store.prepareForMany();
    await write(0, MANY);
    await store.refreshStatistics();
    expect(await store.vectorIndex()).toMatchObject({
      state: 'valid',
      m: 8,
      efConstruction: 40,
      precision: 'half',
    });
  });

  it('keeps the index that many rows are searched by', async () => {
    await write(0, MANY);
    const before = await stores.vectorIndexes();
    await store.prepareForMany();
    expect(await stores.vectorIndexes()).toEqual(before);
    await store.refreshStatistics();
    expect(await stores.vectorIndexes()).toEqual(before);
  });

  it('gets its index when the process that dropped it was killed', async () => {
    await store.prepareForMany();
    await write(0, MANY);
    // The next start finds the table so, whatever became of the process.
    const { store: next } = await stores.open();
    await next.refreshStatistics();
    expect(await next.vectorIndex()).toMatchObject({ state: 'valid' });
  });

  it('keeps its index where the role may not drop it', async () => {
    const roles = await createTestRoles(stores.url, 'writer');
    try {
      await stores.query(`grant all on all tables in schema public to ${roles.names.writer}`);
      const { store: writer, warnings } = await stores.open({
        migrate: false,
        role: roles.names.writer,
      });
      await writer.prepareForMany();
      expect(await stores.vectorIndexes()).toHaveLength(1);
      expect(warnings).toEqual([]);
    } finally {
      await roles.drop();
    }
  });
});
