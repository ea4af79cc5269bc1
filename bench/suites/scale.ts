import type { CalibrationReport } from '../../plugins/ask-ai-backend/src/database/vectorIndex/types';
import type { PgVectorStore } from '../../plugins/ask-ai-backend/src/services/PgVectorStore';
import { query } from '../../tests/services/connect';
import { type BuildClock, startBuildClock } from '../buildClock';
import { datasetRows, queries } from '../dataset';
import { exactNeighbours } from '../exact';
import { type IndexedStore, measureIndex } from '../indexFigures';
import { compare, latencyRounds, timed } from '../measure';
import { p50 } from '../measurement';
import { SmallStore } from '../SmallStore';
import { openStore, toEmbeddings } from '../stores';
import { type Suite, type SuiteOptions, TOP_K } from '../suite';

const RECALL_TARGET = 0.95;

/** Queries with exact neighbours: each costs a comparison with every row. */
const EXACT_QUERIES = 200;

/** What the large store's latency is compared with, and how much longer it may take. */
const SMALL_ROWS = 20_000;
const MOST_TIMES_SMALL = 20;

/** A million rows: load, calibration, tuning, full and half precision. */
export const scale: Suite = {
  name: 'scale',
  what: 'a million rows: load, calibration and tuning to recall 0.95, full and half precision',
  takes: 'up to 2 hours',
  rows: 1_000_000,
  shortRows: 1_000,
  serverSettings: {
    shared_buffers: '4GB',
    effective_cache_size: '12GB',
    // The graph of a million vectors of 384 numbers, nearly.
    maintenance_work_mem: '2GB',
    max_parallel_maintenance_workers: 2,
    max_wal_size: '4GB',
    checkpoint_timeout: '30min',
  },
  async run(options) {
    const { rows, dimensions, effort, progress } = options;
    const url = await options.newDatabase();
    const store = await openStore(url, options);
    try {
      const bench = new ScaleBench(options, store, url);
      await bench.load();
      progress(`searching ${rows} rows exactly`);
      const fresh = queries(effort.calls, dimensions);
      const exact = exactNeighbours(
        datasetRows(rows, dimensions),
        fresh.slice(0, EXACT_QUERIES),
        TOP_K,
      );
      const indexed = { store, url, queries: fresh, exact };
      progress('loading the small store');
      const small = await SmallStore.load(options, {
        rows: Math.min(SMALL_ROWS, rows),
        queries: fresh.slice(0, EXACT_QUERIES),
      });
      await bench.reachTarget();
      await bench.measure('full precision', indexed, small);
      await bench.toHalfPrecision();
      await bench.measure('half precision', indexed, small);
    } finally {
      await store.close();
    }
  },
};

class ScaleBench {
  constructor(
    private readonly options: SuiteOptions,
    private readonly store: PgVectorStore,
    private readonly url: string,
  ) {}

  async load(): Promise<void> {
    const { rows, dimensions, report } = this.options;
    const embeddings = toEmbeddings(datasetRows(rows, dimensions));
    const clock = startBuildClock(this.options.progress);
    const elapsedMs = await timed(() =>
      this.store.storeAll(embeddings, { onProgress: clock.onLoad }),
    );
    this.reportSeconds(`load of ${rows} rows with the first index`, elapsedMs);
    this.reportBuild('first index', clock);
    const [table] = await query<{ bytes: number }>(
      this.url,
      "select pg_table_size('embeddings')::float8 as bytes",
    );
    report({ what: 'size of the table', unit: 'bytes', ours: table?.bytes ?? Number.NaN });
  }

  /** By ef_search alone where that will do, else by rebuilding with larger values. */
  async reachTarget(): Promise<void> {
    const { progress } = this.options;
    progress('calibrating');
    let calibration = await this.step('calibration', () => this.store.index.calibrate());
    if (!calibration.reachesTarget) {
      progress(`tuning, from m ${calibration.m} and ef_construction ${calibration.efConstruction}`);
      const clock = startBuildClock(progress);
      calibration = await this.step('tuning, all builds and calibrations', () =>
        this.store.index.tune({ onProgress: clock.onBuild }),
      );
      this.reportBuild('tuned index', clock);
    }
    this.options.report({
      what: 'recall@10 of stored vectors after calibration and tuning',
      unit: 'share',
      ours: calibration.recall,
      target: { atLeast: RECALL_TARGET },
    });
  }

  async toHalfPrecision(): Promise<void> {
    this.options.progress('rebuilding with half precision');
    const clock = startBuildClock(this.options.progress);
    await this.step('rebuild with half precision and calibration', () =>
      this.store.index.rebuild({ precision: 'half' }, { onProgress: clock.onBuild }),
    );
    this.reportBuild('half precision', clock);
  }

  /** The index as it is now, and its latency beside that of few rows at the same recall. */
  async measure(label: string, indexed: IndexedStore, small: SmallStore): Promise<void> {
    const { effort, report } = this.options;
    const { recall } = await measureIndex(this.options, indexed, {
      label,
      recallTarget: RECALL_TARGET,
    });
    const few = await small.openAt(recall);
    try {
      const call = (store: PgVectorStore) => (index: number) =>
        store.search(indexed.queries[index] as Float32Array, TOP_K);
      const rounds = await latencyRounds(effort, {
        few: call(few.store),
        many: call(this.store),
      });
      report({
        what: `${label}: recall@10, against ${small.rows} rows at ef_search ${few.efSearch}`,
        unit: 'share',
        floor: few.recall,
        ours: recall,
      });
      report(
        p50(
          `${label}: p50, against ${small.rows} rows at the same recall`,
          compare(rounds, 'many', 'few'),
          { atMost: MOST_TIMES_SMALL },
        ),
      );
    } finally {
      await few.store.close();
    }
  }

  private async step(
    what: string,
    work: () => Promise<CalibrationReport>,
  ): Promise<CalibrationReport> {
    let report: CalibrationReport | undefined;
    const elapsedMs = await timed(async () => {
      report = await work();
    });
    this.reportSeconds(what, elapsedMs);
    return report as CalibrationReport;
  }

  private reportSeconds(what: string, elapsedMs: number): void {
    this.options.report({ what, unit: 's', ours: elapsedMs / 1_000 });
  }

  private reportBuild(what: string, clock: BuildClock): void {
    const seconds = clock.buildSeconds();
    if (seconds !== undefined) {
      this.options.report({ what: `${what}: build`, unit: 's', ours: seconds });
    }
  }
}
