import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../../tests/services/poll';
import type { PgVectorStore } from '../../services/PgVectorStore';
import { runFile } from '../../testing/childProcess';
import { embeddings, queryVectors, ServerStores } from '../../testing/serverStores';

/** Enough that the planner prefers the index by far, however many rows are written meanwhile. */
const ROWS = 5_000;
const DIMENSIONS = 16;
const TOP_K = 30;
const REBUILD_MS = 90_000;

const FULL_16 = expect.stringMatching(/\(vector vector_cosine_ops\) WITH \(m='16'/);
const ONLY_THE_OLD_ONE = [{ name: 'embeddings_vector_idx', valid: true, definition: FULL_16 }];

describe('a rebuild of the vector index', { timeout: 180_000 }, () => {
  let stores: ServerStores;
  let store: PgVectorStore;
  let replica: PgVectorStore;

  beforeEach(async () => {
    stores = await ServerStores.create();
    ({ store } = await stores.open({ dimensions: DIMENSIONS }));
    await store.storeAll(embeddings(ROWS, { dimensions: DIMENSIONS }));
    ({ store: replica } = await stores.open({ migrate: false }));
  });

  afterEach(() => stores.close());

  let written = 0;
  const vectors = queryVectors(DIMENSIONS);

  /** Searches and writes on both replicas: every search gives as many hits as are there. */
  async function useBoth(): Promise<void> {
    for (const each of [store, replica]) {
      expect(await each.search(vectors.next(), TOP_K)).toHaveLength(TOP_K);
      const filter = { kinds: ['component', 'api'], sources: ['catalog' as const] };
      expect(await each.search(vectors.next(), TOP_K, filter)).toHaveLength(TOP_K);
      const query = { mode: 'vector' as const, text: '', vector: vectors.next(), topK: TOP_K };
      expect(await each.searchRanked(query)).toHaveLength(TOP_K);
      const first = ROWS + written;
      const seed = first;
      await each.storeBatch([...embeddings(1, { dimensions: DIMENSIONS, first, seed })]);
      written += 1;
    }
  }

  beforeEach(() => {
    written = 0;
  });

  /** Keeps both replicas at work until a promise is settled. */
  async function useBothUntil(work: Promise<unknown>): Promise<void> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    work.then(settle, settle);
    await pollUntil('the rebuild', REBUILD_MS, async () => {
      await useBoth();
      return isSettled || undefined;
    });
  }

  it('lets both replicas search by the old index and write, and ends with one valid index', async () => {
    const holder = await stores.holdTable();
    const rebuilding = store.index.rebuild({ m: 8, efConstruction: 40 });
    await stores.buildWaits();
    await useBoth();
    expect(await replica.vectorIndex()).toMatchObject({ state: 'building', m: 16 });
    expect(await usesIndex(replica)).toBe(true);
    // It analyzes the table, which has to wait for an index that is being built.
    await replica.refreshStatistics();
    await expect(replica.index.rebuild({ m: 4 })).rejects.toMatchObject({ name: 'ConflictError' });
    const load = replica.replaceAll(embeddings(ROWS, { dimensions: DIMENSIONS }));
    await expect(load).rejects.toMatchObject({ name: 'ConflictError' });

    await holder.release();
    await useBothUntil(rebuilding);
    expect(await rebuilding).toMatchObject({ m: 8, efConstruction: 40, precision: 'full' });
    expect(await stores.vectorIndexes()).toEqual([
      {
        name: 'embeddings_vector_idx',
        valid: true,
        definition: expect.stringMatching(
          /vector_cosine_ops\) WITH \(m='8', ef_construction='40'\)/,
        ),
      },
    ]);
    expect(await replica.vectorIndex()).toMatchObject({ state: 'valid', m: 8 });
    expect(await replica.count()).toBe(ROWS + written);
    // What was written meanwhile is in the index.
    for (const first of [ROWS, ROWS + 1, ROWS + written - 1]) {
      const [row] = embeddings(1, { dimensions: DIMENSIONS, first, seed: first });
      const [nearest] = await replica.search(row?.vector ?? [], 1);
      expect(nearest?.documentChunk.id).toBe(row?.id);
    }
  });

  it('to half precision and back leaves the searches of a replica all their hits', async () => {
    for (const precision of ['half', 'full'] as const) {
      const rebuilding = store.index.rebuild({ precision });
      await useBothUntil(rebuilding);
      expect(await rebuilding).toMatchObject({ m: 16, precision });
      expect(await replica.vectorIndex()).toMatchObject({ state: 'valid', precision });
      const indexes = await stores.vectorIndexes();
      expect(indexes).toHaveLength(1);
      expect(indexes[0]?.definition).toContain(
        precision === 'half' ? 'halfvec_cosine_ops' : 'vector_cosine_ops',
      );
      expect(await usesIndex(replica)).toBe(true);
    }
  });

  it('that is aborted leaves the old index alone', async () => {
    const holder = await stores.holdTable();
    const stopping = new AbortController();
    const rebuilding = store.index.rebuild({ m: 8 }, { signal: stopping.signal });
    const ended = expect(rebuilding).rejects.toThrow('stopped by the test');
    await stores.buildWaits();
    stopping.abort(new Error('stopped by the test'));
    await pollUntil('the end of the build', REBUILD_MS, async () => {
      const builds = await stores.query('select from pg_stat_progress_create_index');
      return builds.length === 0 || undefined;
    });
    // The remains can be removed now.
    await holder.release();
    await ended;
    expect(await stores.vectorIndexes()).toEqual(ONLY_THE_OLD_ONE);
    await useBoth();
    expect(await store.index.rebuild({ m: 4 })).toMatchObject({ m: 4 });
  });

  it('that is aborted when all is built removes what it built', async () => {
    // Keeps others from changing the name of the index.
    await stores.query('begin');
    await stores.query('alter index embeddings_vector_idx set (ef_construction = 64)');
    const stopping = new AbortController();
    const rebuilding = store.index.rebuild({ m: 8 }, { signal: stopping.signal });
    const ended = expect(rebuilding).rejects.toThrow('stopped by the test');
    await pollUntil('two valid indexes', REBUILD_MS, async () =>
      (await stores.vectorIndexes()).filter(({ valid }) => valid).length === 2 ? true : undefined,
    );
    stopping.abort(new Error('stopped by the test'));
    await ended;
    await stores.query('rollback');
    expect(await stores.vectorIndexes()).toEqual(ONLY_THE_OLD_ONE);
  });

  it('whose signal has aborted before does nothing', async () => {
    const signal = AbortSignal.abort(new Error('stopped by the test'));
    await expect(store.index.rebuild({ m: 8 }, { signal })).rejects.toThrow('stopped by the test');
    expect(await stores.vectorIndexes()).toEqual(ONLY_THE_OLD_ONE);
  });

  it('whose process is killed leaves the old index serving, and the next start removes the rest', async () => {
    const holder = await stores.holdTable();
    const program = runFile(resolve(__dirname, '../../testing/rebuildVectorIndex.ts'), [
      stores.url,
    ]);
    await stores.buildWaits();
    await program.kill();
    const [old, leftover] = await stores.vectorIndexes();
    expect(old).toEqual(ONLY_THE_OLD_ONE[0]);
    expect(leftover).toMatchObject({ name: 'embeddings_vector_new_idx', valid: false });
    await useBoth();

    // The server goes on building for nobody. A start ends that, and waits for the holder.
    const { store: next } = await stores.open();
    await pollUntil('the end of the orphan', REBUILD_MS, async () => {
      const builds = await stores.query('select from pg_stat_progress_create_index');
      return builds.length === 0 || undefined;
    });
    await useBoth();
    // One that is closed does not wait for others.
    await next.close();
    const { warnings } = await stores.open();
    await holder.release();
    await pollUntil('one index', REBUILD_MS, async () =>
      (await stores.vectorIndexes()).length === 1 ? true : undefined,
    );
    expect(await stores.vectorIndexes()).toEqual(ONLY_THE_OLD_ONE);
    expect(warnings).toEqual([]);
    await useBoth();
  });
});

async function usesIndex(store: PgVectorStore): Promise<boolean> {
  const plans = await store.index.explain();
  return plans.some(plan => plan.shape === 'hybrid: by meaning' && plan.usesVectorIndex);
}
