import { PgVectorStore } from '../../plugins/ask-ai-backend/src/services/PgVectorStore';
import { entityOf, fillTable, queries } from '../dataset';
import { floorEntitySearch, floorSearch, openFloor } from '../floor';
import { compareLatency, compareRate } from '../measure';
import type { Suite } from '../suite';
import { milliseconds, perSecond } from '../table';

const TOP_K = 10;
const CALLS = 500;
const CLIENTS = 8;

/** Search without a filter, in one entity, and by eight clients at once. */
export const search: Suite = {
  name: 'search',
  what: 'vector search against raw node-postgres',
  rows: 20_000,
  async run({ url, rows, dimensions, logger }) {
    const store = await PgVectorStore.create({
      postgresql: { connectionString: url, maxConnections: CLIENTS },
      logger,
      dimensions,
    });
    const pool = openFloor(url, CLIENTS);
    try {
      await fillTable(pool, rows, dimensions);
      const vectors = queries(CALLS, dimensions);
      const query = (call: number) => vectors[call % CALLS] as Float32Array;
      const all = await compareLatency(
        CALLS,
        call => floorSearch(pool, query(call), TOP_K),
        call => store.search(query(call), TOP_K),
      );
      const entity = await compareLatency(
        CALLS,
        call => floorEntitySearch(pool, query(call), TOP_K, entityOf(call)),
        call => store.search(query(call), TOP_K, entityOf(call)),
      );
      const clients = await compareRate(
        () => inParallel(call => floorSearch(pool, query(call), TOP_K)),
        () => inParallel(call => store.search(query(call), TOP_K)),
      );
      return [
        {
          what: `search, k = ${TOP_K}, ${rows} rows, p50`,
          floor: milliseconds(all.floor.p50Ms),
          ours: milliseconds(all.ours.p50Ms),
          ratio: all.ratio,
          target: 'at most 1.25',
        },
        {
          what: 'search, p95',
          floor: milliseconds(all.floor.p95Ms),
          ours: milliseconds(all.ours.p95Ms),
        },
        {
          what: 'one entity, p50',
          floor: milliseconds(entity.floor.p50Ms),
          ours: milliseconds(entity.ours.p50Ms),
          ratio: entity.ratio,
          target: 'at most 1.3',
        },
        {
          what: `${CLIENTS} clients`,
          floor: perSecond(clients.floor),
          ours: perSecond(clients.ours),
          ratio: clients.ratio,
          target: 'at least 0.8',
        },
      ];
    } finally {
      await store.close();
      await pool.end();
    }
  },
};

async function inParallel(call: (call: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (next < 4 * CALLS) {
        await call(next++);
      }
    }),
  );
  return next;
}
