import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../../tests/services/poll';
import type { PgVectorStore } from '../../services/PgVectorStore';
import { embeddings, queryVectors, ServerStores } from '../../testing/serverStores';

const ROWS = 1_500;
const DIMENSIONS = 16;
const REBUILD_MS = 90_000;

const NO_WARNINGS: string[] = [];

describe('the options of the vector index', { timeout: 180_000 }, () => {
  let stores: ServerStores;

  beforeEach(async () => {
    stores = await ServerStores.create();
  });

  afterEach(() => stores.close());

  /** A store as an earlier version of the configuration left it. */
  async function fill(): Promise<void> {
    const { store } = await stores.open({ dimensions: DIMENSIONS });
    await store.storeAll(embeddings(ROWS, { dimensions: DIMENSIONS }));
    await store.close();
  }

  const vectors = queryVectors(DIMENSIONS);
  const expectHits = async (store: PgVectorStore) => {
    expect(await store.search(vectors.next(), 20)).toHaveLength(20);
    expect(await store.search(vectors.next(), 20, { kinds: ['api'] })).toHaveLength(20);
  };

  /** Searches until there is a valid index of that definition. */
  const untilValid = (store: PgVectorStore, wanted: Partial<VectorIndexDefinition>) =>
    pollUntil(`a valid index of ${JSON.stringify(wanted)}`, REBUILD_MS, async () => {
      await expectHits(store);
      const status = await store.vectorIndex();
      return (status.state === 'valid' && isMatch(status, wanted)) || undefined;
    });

  it('have a filled store rebuild its index at its start, which answers meanwhile', async () => {
    await fill();
    const holder = await stores.holdTable();
    const { store, warnings } = await stores.open({ index: { precision: 'half', m: 8 } });
    await stores.buildWaits();
    await expectHits(store);
    expect(await store.vectorIndex()).toMatchObject({ state: 'building', m: 16 });
    await holder.release();
    await untilValid(store, { m: 8, efConstruction: 64, precision: 'half' });
    // Replicas may still search by the old index; who is closed does not wait for them.
    await store.close();
    expect(await stores.vectorIndexes()).toEqual([
      {
        name: 'embeddings_vector_idx',
        valid: true,
        definition: expect.stringMatching(/halfvec_cosine_ops\) WITH \(m='8'/),
      },
    ]);
    expect(warnings).toEqual(NO_WARNINGS);
  });

  it('that are left out keep what is there', async () => {
    await fill();
    const { store } = await stores.open();
    await store.index.rebuild({ m: 12, efConstruction: 48 });
    await store.close();
    const [before] = await stores.query(`select 'embeddings_vector_idx'::regclass::oid as oid`);

    const { store: restarted } = await stores.open();
    await restarted.index.ensure();
    expect(await restarted.vectorIndex()).toMatchObject({ m: 12, efConstruction: 48 });
    const [after] = await stores.query(`select 'embeddings_vector_idx'::regclass::oid as oid`);
    expect(after).toEqual(before);

    const { store: partly } = await stores.open({ index: { efConstruction: 60 } });
    await untilValid(partly, { m: 12, efConstruction: 60 });
  });

  it('hold for a load right after the start, which is a load of the table', async () => {
    const { store, warnings } = await stores.open({
      dimensions: DIMENSIONS,
      index: { m: 8, efConstruction: 32, precision: 'half' },
    });
    const table = `select 'embeddings'::regclass::oid as oid`;
    const [before] = await stores.query(table);
    await store.storeAll(embeddings(ROWS, { dimensions: DIMENSIONS }));
    // A load puts another table in the place of the empty one.
    expect(await stores.query(table)).not.toEqual([before]);
    expect(await store.vectorIndex()).toMatchObject({ state: 'valid', m: 8, precision: 'half' });
    await expectHits(store);
    expect(warnings).toEqual(NO_WARNINGS);
  });

  it('hold for a store that takes another embedding space right after the start', async () => {
    const { store, warnings } = await stores.open({ index: { m: 8, precision: 'half' } });
    const space = { provider: 'test', model: 'test', dimensions: DIMENSIONS, chunkerVersion: 1 };
    await store.useEmbeddingSpace(space);
    await store.storeBatch([...embeddings(200, { dimensions: DIMENSIONS })]);
    await expectHits(store);
    expect(await store.vectorIndex()).toMatchObject({ state: 'valid', m: 8, precision: 'half' });
    expect(warnings).toEqual(NO_WARNINGS);
  });

  it('are of half precision above 2,000 dimensions, where searches use the index, too', async () => {
    const dimensions = 2_500;
    const { store, warnings } = await stores.open({
      dimensions,
      index: { m: 8, efConstruction: 32, precision: 'full' },
    });
    expect(await store.vectorIndex()).toMatchObject({ state: 'valid', precision: 'half' });
    const table = `select 'embeddings'::regclass::oid as oid`;
    const [before] = await stores.query(table);
    await store.storeAll(embeddings(1_000, { dimensions }));
    expect(await stores.query(table)).not.toEqual([before]);
    await store.storeBatch([...embeddings(5, { dimensions, first: 1_000, seed: 3 })]);

    const [written] = embeddings(1, { dimensions, first: 1_000, seed: 3 });
    const [nearest] = await store.search(written?.vector ?? [], 1);
    expect(nearest?.documentChunk.id).toBe(written?.id);
    expect(await store.search(queryVectors(dimensions).next(), 200)).toHaveLength(200);
    for (const plan of await store.index.explain()) {
      expect([plan.shape, plan.usesExpected, plan.plan]).toEqual([plan.shape, true, plan.plan]);
    }
    const report = await store.index.calibrate({ sampleSize: 20 });
    expect(report).toMatchObject({ dimensions, precision: 'half', reachesTarget: true });
    expect(warnings).toEqual(NO_WARNINGS);
  });

  it.each([
    [
      'invalid',
      `update pg_index set indisvalid = false where indexrelid = 'embeddings_vector_idx'::regclass`,
    ],
    ['missing', 'drop index embeddings_vector_idx'],
  ])('have an index that is %s built at the next start', async (state, damage) => {
    await fill();
    const { store: before } = await stores.open({ migrate: false });
    await stores.query(damage);
    expect(await before.vectorIndex()).toMatchObject({
      state,
      message: expect.stringContaining('There is no valid vector index'),
    });
    await expectHits(before);
    const { store, warnings } = await stores.open();
    await untilValid(store, { m: 16 });
    await pollUntil('one index', REBUILD_MS, async () =>
      (await stores.vectorIndexes()).length === 1 ? true : undefined,
    );
    expect(await stores.vectorIndexes()).toMatchObject([
      { name: 'embeddings_vector_idx', valid: true },
    ]);
    expect(await before.vectorIndex()).toMatchObject({ state: 'valid' });
    expect(warnings).toEqual(NO_WARNINGS);
  });
});

function isMatch(found: VectorIndexDefinition, wanted: Partial<VectorIndexDefinition>): boolean {
  return Object.entries({ ...found, ...wanted }).every(
    ([key, value]) => found[key as keyof VectorIndexDefinition] === value,
  );
}
