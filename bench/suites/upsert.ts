import { PgVectorStore } from '../../plugins/ask-ai-backend/src/services/PgVectorStore';
import { datasetRows } from '../dataset';
import { toEmbedding } from '../embedding';
import { type FloorRow, floorUpsert, openFloor } from '../floor';
import { compareRate } from '../measure';
import type { Suite } from '../suite';
import { perSecond } from '../table';

const CONNECTIONS = 2;
const BATCH = 500;

/** Writes into a live index: changed rows against the floor, and rows that did not change. */
export const upsert: Suite = {
  name: 'upsert',
  what: 'live upserts against raw node-postgres, two connections each',
  rows: 4_000,
  async run({ url, rows, dimensions, logger }) {
    const store = await PgVectorStore.create({
      postgresql: { connectionString: url, maxConnections: CONNECTIONS },
      logger,
      dimensions,
    });
    const pool = openFloor(url, CONNECTIONS);
    const source = [...datasetRows(2 * rows * 4, dimensions)];
    const slice = (round: number, half: number) =>
      source.slice((2 * round + half) * rows, (2 * round + half + 1) * rows);
    try {
      const changed = await compareRate(
        round => write(slice(round, 0), batch => floorUpsert(pool, batch)),
        round => write(slice(round, 1), batch => store.storeBatch(batch.map(toEmbedding))),
        { warmUp: true },
      );
      const last = slice(3, 1);
      const unchanged = await compareRate(
        async () => changed.ours,
        () => write(last, batch => store.storeBatch(batch.map(toEmbedding))),
      );
      return [
        {
          what: `changed rows, batches of ${BATCH}`,
          floor: perSecond(changed.floor),
          ours: perSecond(changed.ours),
          ratio: changed.ratio,
          target: 'at least 0.9',
        },
        {
          what: 'unchanged rows, against our changed ones',
          floor: perSecond(changed.ours),
          ours: perSecond(unchanged.ours),
          ratio: unchanged.ours / changed.ours,
          target: 'at least 20',
        },
      ];
    } finally {
      await store.close();
      await pool.end();
    }
  },
};

/** Writes all rows by two writers that take batches in turn. */
async function write(
  rows: FloorRow[],
  writeBatch: (batch: FloorRow[]) => Promise<void>,
): Promise<number> {
  let start = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (start < rows.length) {
        const batch = rows.slice(start, start + BATCH);
        start += BATCH;
        await writeBatch(batch);
      }
    }),
  );
  return rows.length;
}
