import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../../tests/services/poll';
import {
  embeddings,
  queryVectors,
  type ServerStore,
  ServerStores,
} from '../../testing/serverStores';
import { type DatabaseConnection, selectRows } from '../connection';
import { DEFAULT_EF_SEARCH } from '../indexScanSettings';
import { needsCalibration } from './calibration';

const DIMENSIONS = 8;
const LOOK_MS = 60_000;

describe('calibration', { timeout: 120_000 }, () => {
  let stores: ServerStores;

  beforeEach(async () => {
    stores = await ServerStores.create();
  });

  afterEach(() => stores.close());

  async function openFilled(
    rows: number,
    options: Parameters<ServerStores['open']>[0] = {},
  ): Promise<ServerStore> {
    const dimensions = options.dimensions ?? DIMENSIONS;
    const opened = await stores.open({ dimensions, ...options });
    await opened.store.storeAll(embeddings(rows, { dimensions }));
    return opened;
  }

  /** With which ef_search a store of one session searches. */
  async function searchedWith({ store, connection }: ServerStore): Promise<number> {
    await connection.db.execute(sql`begin`);
    await store.search(queryVectors(store.dimensions).next(), 10);
    const candidates = await currentEfSearch(connection);
    await connection.db.execute(sql`commit`);
    return candidates;
  }

  /** The second one waits for what the first one left to the background. */
  async function refreshed({ store }: Pick<ServerStore, 'store'>): Promise<void> {
    await store.refreshStatistics();
    await store.refreshStatistics();
  }

  const calibratedRows = () =>
    stores
      .queryOne<{ rows: number }>('select row_count as rows from vector_index_calibration')
      .then(({ rows }) => rows);

  const calibratedAt = () =>
    stores
      .queryOne<{ at: string }>('select measured_at::text as at from vector_index_calibration')
      .then(({ at }) => at);

  it('holds at once for the next search of every replica', async () => {
    const { store } = await openFilled(1_200);
    const replica = await stores.open({ migrate: false, maxConnections: 1 });
    expect(await searchedWith(replica)).toBe(DEFAULT_EF_SEARCH);
    const { efSearch } = await store.index.calibrate({ sampleSize: 20 });
    await stores.query('update vector_index_calibration set ef_search = 177');
    expect(await searchedWith(replica)).toBe(177);
    expect((await replica.store.vectorIndex()).efSearch).toBe(177);
    await store.index.calibrate({ sampleSize: 20 });
    expect(await searchedWith(replica)).toBe(efSearch);
  });

  it('follows a load of the table, growth by half and a smaller table, and nothing less', async () => {
    const index = { m: 4, efConstruction: 16, calibrateFromRows: 1_000 };
    const { store } = await openFilled(4_000, { index });
    expect(await store.vectorIndex()).toMatchObject({ measured: { rows: 4_000 } });
    const more = (count: number, first: number) =>
      store.storeBatch([...embeddings(count, { dimensions: DIMENSIONS, first })]);
    const loaded = await calibratedAt();

    await more(1_900, 4_000);
    await refreshed({ store });
    expect(await calibratedAt()).toBe(loaded);

    // The look in the background, after 5,000 rows.
    await more(3_100, 5_900);
    await pollUntil('a calibration of 9,000 rows', LOOK_MS, async () =>
      (await calibratedRows()) === 9_000 ? true : undefined,
    );

    for (const [rowsBefore, isDue] of [
      [6_001, false],
      [6_000, true],
      [13_499, false],
      [13_500, true],
    ] as const) {
      await stores.query('update vector_index_calibration set row_count = $1', [rowsBefore]);
      await refreshed({ store });
      expect([rowsBefore, await calibratedRows()]).toEqual([
        rowsBefore,
        isDue ? 9_000 : rowsBefore,
      ]);
    }
  });

  it('is not made unasked of few rows', async () => {
    const { store } = await openFilled(1_500);
    await refreshed({ store });
    expect(await store.vectorIndex()).not.toHaveProperty('measured');
    expect(needsCalibration(49_999, undefined)).toBe(false);
    expect(needsCalibration(50_000, undefined)).toBe(true);
  });

  it('names what to rebuild with when no ef_search reaches the target; tuning reaches it', async () => {
    const { store } = await openFilled(4_000, {
      dimensions: 32,
      index: { m: 2, efConstruction: 4, recallTarget: 0.999 },
    });
    const sample = { sampleSize: 40 };
    const report = await store.index.calibrate(sample);
    expect(report).toMatchObject({
      m: 2,
      efSearch: 400,
      reachesTarget: false,
      sampleSize: 40,
      tune: { m: 4, efConstruction: 8 },
    });
    expect(report.recall).toBeLessThan(0.999);
    const status = await store.vectorIndex();
    expect(status).toMatchObject({ efSearch: 400, tune: { m: 4, efConstruction: 8 } });
    expect(status.message).toMatch(/less than the target of 0\.999.*m 4 and ef_construction 8/);

    const phases = new Set<string>();
    const tuned = await store.index.tune({ onProgress: ({ phase }) => phases.add(phase) });
    expect(tuned.m).toBeGreaterThanOrEqual(4);
    expect(tuned.efConstruction).toBe(2 * tuned.m);
    expect(tuned.reachesTarget || tuned.m === 64).toBe(true);
    expect(await store.vectorIndex()).toMatchObject({
      m: tuned.m,
      efConstruction: tuned.efConstruction,
      efSearch: tuned.efSearch,
      state: 'valid',
    });
  });

  it('respects an ef_search of the configuration', async () => {
    const index = { m: 2, efConstruction: 4, efSearch: 12, recallTarget: 0.999 };
    const opened = await openFilled(3_000, { dimensions: 32, index, maxConnections: 1 });
    const { store } = opened;
    expect(await store.index.calibrate({ sampleSize: 20 })).toMatchObject({
      efSearch: 12,
      reachesTarget: false,
    });
    expect(await searchedWith(opened)).toBe(12);
    const { efSearch, message } = await store.vectorIndex();
    expect(efSearch).toBe(12);
    expect(message).toMatch(/at the configured ef_search of 12: take .*efSearch out/);
  });

  it('ends in time, and tells how much it sampled by then', async () => {
    const { store } = await openFilled(1_500);
    const inNoTime = { maxSeconds: 1e-6, sampleSize: 200 };
    expect(await store.index.calibrate(inNoTime)).toMatchObject({ sampleSize: 1, neighbours: 10 });
    const { measured } = await store.vectorIndex();
    expect(measured).toMatchObject({ sampleSize: 1, rows: 1_500 });
    expect(await store.index.measureRecall({ sampleSize: 30 })).toMatchObject({ sampleSize: 30 });
  });

  it('ends with the reason of the signal', async () => {
    const { store } = await openFilled(1_500);
    const stopping = new AbortController();
    stopping.abort(new Error('stopped by the test'));
    const { signal } = stopping;
    await expect(store.index.calibrate({ signal })).rejects.toThrow('stopped by the test');
    await expect(store.index.measureRecall({ signal })).rejects.toThrow('stopped by the test');
    expect(await store.vectorIndex()).not.toHaveProperty('measured');
  });

  it.each([0, 1])('finds nothing to measure in a store of %i rows', async rows => {
    const { store } = await openFilled(rows);
    const nothing = { rows, sampleSize: 0, recall: 1, efSearch: DEFAULT_EF_SEARCH };
    expect(await store.index.measureRecall()).toMatchObject(nothing);
    expect(await store.index.calibrate()).toMatchObject({ ...nothing, reachesTarget: true });
    expect(await store.vectorIndex()).not.toHaveProperty('measured');
  });

  it('measures rows that are all equal, and few rows', async () => {
    const { store } = await stores.open({ dimensions: DIMENSIONS });
    const vector = queryVectors(DIMENSIONS).next();
    const rows = [...embeddings(1_000, { dimensions: DIMENSIONS })];
    await store.storeBatch(rows.slice(0, 3));
    expect(await store.index.measureRecall()).toMatchObject({ rows: 3, recall: 1, sampleSize: 3 });
    await store.clear();
    await store.storeAll(rows.map(row => ({ ...row, vector })));
    expect(await store.index.calibrate({ sampleSize: 20 })).toMatchObject({
      rows: 1_000,
      sampleSize: 20,
      recall: 1,
      reachesTarget: true,
    });
    expect(await store.search(vector, 200)).toHaveLength(200);
  });
});

async function currentEfSearch({ db }: DatabaseConnection): Promise<number> {
  const rows = await selectRows<{ candidates: string }>(
    db,
    sql`select current_setting('hnsw.ef_search') as candidates`,
  );
  return Number(rows[0]?.candidates);
}
