import { datasetRows, queries } from '../dataset';
import { exactNeighbours } from '../exact';
import { measureIndex } from '../indexFigures';
import { openStore, toEmbeddings } from '../stores';
import { type Suite, TOP_K } from '../suite';

const RECALL_TARGET = 0.98;

/**
 * Queries for each call of a round. One that lands in the wrong cluster misses all ten neighbours, so
 * that 500 queries would measure the recall to half a percent only.
 */
const QUERIES_PER_CALL = 2;

/** What half precision may cost, and what it must save. */
const MOST_RECALL_LOST = 0.01;
const MOST_SIZE_KEPT = 0.6;

/** What the vector index finds at the default settings, with full and with half precision. */
export const recall: Suite = {
  name: 'recall',
  what: 'recall@10 at default settings with full and half precision, and the size of both indexes',
  takes: '5 minutes',
  rows: 100_000,
  shortRows: 1_000,
  async run(options) {
    const { rows, dimensions, effort, report, progress } = options;
    const url = await options.newDatabase();
    const store = await openStore(url, options);
    try {
      progress(`loading ${rows} rows`);
      await store.storeAll(toEmbeddings(datasetRows(rows, dimensions)));
      progress('searching exactly');
      const fresh = queries(QUERIES_PER_CALL * effort.calls, dimensions);
      const exact = exactNeighbours(datasetRows(rows, dimensions), fresh, TOP_K);
      const indexed = { store, url, queries: fresh, exact };
      const full = await measureIndex(options, indexed, {
        label: 'full precision',
        recallTarget: RECALL_TARGET,
      });
      progress('rebuilding with half precision');
      await store.index.rebuild({ precision: 'half' });
      const half = await measureIndex(options, indexed, {
        label: 'half precision',
        recallTarget: RECALL_TARGET,
      });
      report({
        what: 'recall@10 that half precision costs',
        unit: 'share',
        ours: full.recall - half.recall,
        target: { atMost: MOST_RECALL_LOST },
      });
      report({
        what: 'size of the vector index, half precision against full',
        unit: 'bytes',
        floor: full.bytes,
        ours: half.bytes,
        ratio: half.bytes / full.bytes,
        target: { atMost: MOST_SIZE_KEPT },
      });
    } finally {
      await store.close();
    }
  },
};
