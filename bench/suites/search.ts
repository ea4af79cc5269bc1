import type { Pool } from 'pg';
import type { PgVectorStore } from '../../plugins/ask-ai-backend/src/services/PgVectorStore';
import { startPgBouncer } from '../../tests/services/pgBouncer';
import { datasetRows, entityOf, fillTable, queries } from '../dataset';
import { exactNeighbours } from '../exact';
import {
  floorEntitySearch,
  floorIds,
  floorSearch,
  openFloor,
  type ScanSettings,
  setForDatabase,
} from '../floor';
import { inParallel } from '../inParallel';
import { clock, compare, rateRounds } from '../measure';
import { assertCorrect, p50 } from '../measurement';
import { measureRecall, measureSearches } from '../searches';
import { hitIds, openStore, scanSettings } from '../stores';
import { type Suite, type SuiteOptions, TOP_K } from '../suite';

const CLIENTS = 8;

/** Searches of all clients together in one measured run, as a multiple of the calls of a round. */
const CLIENT_CALLS = 4;

/** Queries of which recall is measured. */
const RECALL_QUERIES = 200;

/** Nobody shall win by looking at less. */
const LEAST_OF_FLOOR_RECALL = 0.99;

/** Parameters of new sessions that PgBouncer refuses unless told to drop them. */
const IGNORED_PARAMETERS =
  'statement_timeout,lock_timeout,idle_in_transaction_session_timeout,options';

/** Search without a filter, in one entity, and by eight clients at once, also through PgBouncer. */
export const search: Suite = {
  name: 'search',
  what: 'vector search: latency, eight clients, eight clients through PgBouncer',
  takes: '2 minutes',
  rows: 20_000,
  shortRows: 1_000,
  async run(options) {
    const url = await options.newDatabase();
    const store = await openStore(url, options, { maxConnections: CLIENTS });
    const scan = await scanSettings(store);
    const pool = openFloor(url, CLIENTS, scan);
    try {
      options.progress(`loading ${options.rows} rows`);
      await fillTable(pool, options.rows, options.dimensions);
      const vectors = queries(options.effort.calls, options.dimensions);
      const bench = new SearchBench(options, vectors);
      await bench.latency(pool, store);
      await bench.oneEntity(pool, store);
      await bench.clients(pool, store);
      await bench.throughPgBouncer(url, pool, scan);
    } finally {
      await store.close();
      await pool.end();
    }
  },
};

class SearchBench {
  private readonly exact: string[][];
  private readonly calls: number[];

  constructor(
    private readonly options: SuiteOptions,
    private readonly vectors: Float32Array[],
  ) {
    const { rows, dimensions, effort } = options;
    this.exact = exactNeighbours(
      datasetRows(rows, dimensions),
      vectors.slice(0, RECALL_QUERIES),
      TOP_K,
    );
    this.calls = Array.from({ length: CLIENT_CALLS * effort.calls }, (_, call) => call);
  }

  async latency(pool: Pool, store: PgVectorStore): Promise<void> {
    const { effort, report, rows } = this.options;
    const { latency, recall } = await measureSearches(effort, this.vectors, this.exact, {
      floor: async query => floorIds(await floorSearch(pool, query, TOP_K)),
      ours: async query => hitIds(await store.search(query, TOP_K)),
    });
    report(p50(`search, k = ${TOP_K}, ${rows} rows, p50`, latency, { atMost: 1.25 }));
    const { floor, ours } = latency;
    report({ what: 'search, p95', unit: 'ms', floor: floor.p95Ms, ours: ours.p95Ms });
    this.reportRecall('recall@10', recall);
  }

  async oneEntity(pool: Pool, store: PgVectorStore): Promise<void> {
    const { effort, report, rows } = this.options;
    const entityId = (call: number) => entityOf(call % rows);
    const { latency, found } = await measureSearches(effort, this.vectors, [], {
      floor: async (query, call) =>
        floorIds(await floorEntitySearch(pool, query, TOP_K, entityId(call))),
      ours: async (query, call) => hitIds(await store.search(query, TOP_K, entityId(call))),
    });
    report(p50('one entity, p50', latency, { atMost: 1.3 }));
    found.ours.forEach((hits, call) => {
      const isSame = hits.toSorted().join() === found.floor[call]?.toSorted().join();
      assertCorrect(isSame, `the hits in ${entityId(call)} are not those of an exact search`);
    });
  }

  async clients(pool: Pool, store: PgVectorStore): Promise<void> {
    const rounds = await rateRounds(this.options.effort.rounds, {
      floor: this.floorRate(pool),
      ours: this.ourRate(store),
    });
    this.options.report({
      what: `${CLIENTS} clients`,
      unit: 'per second',
      ...compare(rounds, 'ours', 'floor'),
      target: { atLeast: 0.8 },
    });
  }

  /** Ours through PgBouncer, where no session keeps a setting, against the floor without a proxy. */
  async throughPgBouncer(url: string, pool: Pool, scan: ScanSettings): Promise<void> {
    const { effort, report } = this.options;
    const bouncer = await startPgBouncer({
      poolMode: 'transaction',
      target: url,
      settings: {
        ignore_startup_parameters: IGNORED_PARAMETERS,
        max_prepared_statements: 200,
        default_pool_size: CLIENTS,
      },
    });
    try {
      await setForDatabase(pool, scan);
      const floorPool = openFloor(bouncer.url, CLIENTS);
      const store = await openStore(bouncer.url, this.options, {
        maxConnections: CLIENTS,
        migrate: false,
      });
      try {
        const rounds = await rateRounds(effort.rounds, {
          floor: this.floorRate(pool),
          floorThroughPgBouncer: this.floorRate(floorPool),
          ours: this.ourRate(store),
        });
        report({
          what: `${CLIENTS} clients, ours through PgBouncer (transaction mode)`,
          unit: 'per second',
          ...compare(rounds, 'ours', 'floor'),
          target: { atLeast: 0.65 },
        });
        report({
          what: `${CLIENTS} clients, both through PgBouncer`,
          unit: 'per second',
          ...compare(rounds, 'ours', 'floorThroughPgBouncer'),
        });
        this.reportRecall('recall@10 through PgBouncer', {
          floor: await measureRecall(this.vectors, this.exact, async query =>
            floorIds(await floorSearch(floorPool, query, TOP_K)),
          ),
          ours: await measureRecall(this.vectors, this.exact, async query =>
            hitIds(await store.search(query, TOP_K)),
          ),
        });
      } finally {
        await store.close();
        await floorPool.end();
      }
    } finally {
      await bouncer.close();
    }
  }

  private reportRecall(what: string, { floor, ours }: { floor: number; ours: number }): void {
    const target = { atLeast: LEAST_OF_FLOOR_RECALL };
    this.options.report({ what, unit: 'share', floor, ours, ratio: ours / floor, target });
  }

  private floorRate(pool: Pool) {
    return this.rateOf(call => floorSearch(pool, this.query(call), TOP_K));
  }

  private ourRate(store: PgVectorStore) {
    return this.rateOf(call => store.search(this.query(call), TOP_K));
  }

  private rateOf(searchOnce: (call: number) => Promise<unknown>) {
    return () =>
      clock(async () => {
        await inParallel(CLIENTS, this.calls, searchOnce);
        return this.calls.length;
      });
  }

  private query(call: number): Float32Array {
    return this.vectors[call % this.vectors.length] as Float32Array;
  }
}
