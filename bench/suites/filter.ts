import type { Pool } from 'pg';
import type { PgVectorStore } from '../../plugins/ask-ai-backend/src/services/PgVectorStore';
import { fillTable, namespaceRows, queries } from '../dataset';
import { exactNeighbours } from '../exact';
import { floorIds, floorNamespaceSearch, openFloor } from '../floor';
import { assertCorrect, p50 } from '../measurement';
import { measureSearches } from '../searches';
import { hitIds, openStore, scanSettings } from '../stores';
import { type Suite, type SuiteOptions, TOP_K } from '../suite';

/** Namespaces of the data set, and the part of the rows that each holds. */
const NAMESPACES = [
  { namespace: 'tenth', share: '10 %' },
  { namespace: 'hundredth', share: '1 %' },
  { namespace: 'thousandth', share: '0.1 %' },
];

/** Searches with a filter: what they find, how many, and how fast. */
export const filter: Suite = {
  name: 'filter',
  what: 'searches with filters that match 10 %, 1 % and 0.1 % of the rows: recall, hits, latency',
  takes: '3 minutes',
  rows: 100_000,
  shortRows: 2_000,
  async run(options) {
    const url = await options.newDatabase();
    const store = await openStore(url, options);
    const pool = openFloor(url, 1, await scanSettings(store));
    try {
      options.progress(`loading ${options.rows} rows`);
      await fillTable(pool, options.rows, options.dimensions);
      for (const { namespace, share } of NAMESPACES) {
        await searchNamespace(options, { namespace, share, store, pool });
      }
    } finally {
      await store.close();
      await pool.end();
    }
  },
};

async function searchNamespace(
  { rows, dimensions, effort, report }: SuiteOptions,
  {
    namespace,
    share,
    store,
    pool,
  }: { namespace: string; share: string; store: PgVectorStore; pool: Pool },
): Promise<void> {
  const vectors = queries(effort.calls, dimensions);
  const exact = exactNeighbours(namespaceRows(namespace, rows, dimensions), vectors, TOP_K);
  const { latency, recall, found } = await measureSearches(effort, vectors, exact, {
    floor: async query => floorIds(await floorNamespaceSearch(pool, query, TOP_K, namespace)),
    ours: async query => hitIds(await store.search(query, TOP_K, { namespaces: [namespace] })),
  });
  report({
    what: `filter that matches ${share} of ${rows} rows: recall@10`,
    unit: 'share',
    ...recall,
    target: { atLeast: 0.98 },
  });
  report({
    what: `${share}: fewest hits`,
    unit: 'count',
    floor: fewest(found.floor),
    ours: fewest(found.ours),
    target: { atLeast: fewest(exact) },
  });
  report(p50(`${share}: p50`, latency));
  exact.forEach(({ length }, call) => {
    const hits = found.ours[call] ?? [];
    const isComplete = hits.length === length && new Set(hits).size === length;
    assertCorrect(isComplete, `${hits.length} hits in ${namespace} instead of ${length}`);
  });
}

function fewest(found: string[][]): number {
  return Math.min(...found.map(({ length }) => length));
}
