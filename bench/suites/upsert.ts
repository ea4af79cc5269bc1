import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import type { PgVectorStore } from '../../plugins/ask-ai-backend/src/services/PgVectorStore';
import { datasetRows } from '../dataset';
import { type FloorRow, floorUpsert, openFloor } from '../floor';
import { inParallel } from '../inParallel';
import { clock, compare, rateRounds, type Work } from '../measure';
import { assertCorrect } from '../measurement';
import { openStore, toEmbedding } from '../stores';
import type { Suite, SuiteOptions } from '../suite';
import { clusteredVectors } from '../vectors';

const CONNECTIONS = 2;
const BATCH = 500;

/** Of the vectors that rows change to. */
const CHANGE_SEED = 3;

/** Writes into a live index: changed rows against the floor, and rows that did not change. */
export const upsert: Suite = {
  name: 'upsert',
  what: 'live upserts with HNSW, two connections each; rows that did not change',
  takes: '2 minutes',
  rows: 4_000,
  shortRows: 200,
  async run(options) {
    const url = await options.newDatabase();
    const store = await openStore(url, options, { maxConnections: CONNECTIONS });
    const pool = openFloor(url, CONNECTIONS);
    // The warm-up and each round write as many rows by the floor and by ours, in two goes each.
    const perGo = Math.ceil(options.rows / 2);
    const written = 4 * perGo * (options.effort.rounds + 1);
    const source = [...datasetRows(written, options.dimensions)];
    try {
      const next = () => source.splice(0, perGo);
      const rounds = await rateRounds(options.effort.rounds, {
        floor: () => write(next(), batch => floorUpsert(pool, batch)),
        ours: () => write(next().map(toEmbedding), batch => store.storeBatch(batch)),
      });
      options.report({
        what: `new rows, ${CONNECTIONS} connections, batches of ${BATCH}`,
        unit: 'per second',
        ...compare(rounds, 'ours', 'floor'),
        target: { atLeast: 0.9 },
      });
      await unchanged(options, store);
      const stored = await store.count();
      assertCorrect(stored === written, `${stored} rows are stored, ${written} were written`);
    } finally {
      await store.close();
      await pool.end();
    }
  },
};

/** The same rows again and again: now with other vectors, now as they are. */
async function unchanged(
  { rows, dimensions, effort, report }: SuiteOptions,
  store: PgVectorStore,
): Promise<void> {
  const embeddings = [...datasetRows(rows, dimensions)].map(toEmbedding);
  // Never drawn before: a vector that the index holds already costs it next to nothing.
  const vectors = clusteredVectors(dimensions, CHANGE_SEED);
  let last = embeddings;
  const storeLast = () => write(last, batch => store.storeBatch(batch));
  const rounds = await rateRounds(effort.rounds, {
    changed: () => {
      last = embeddings.map(embedding => ({ ...embedding, vector: vectors.next() }));
      return storeLast();
    },
    unchanged: storeLast,
  });
  report({
    what: `unchanged rows against changed ones, ${CONNECTIONS} connections`,
    unit: 'per second',
    ...compare(rounds, 'unchanged', 'changed'),
    target: { atLeast: 20 },
  });
}

/** Writes all rows by two writers that take batches in turn. */
function write<T extends FloorRow | EmbeddingVector>(
  rows: T[],
  writeBatch: (batch: T[]) => Promise<void>,
): Promise<Work> {
  const batches: T[][] = [];
  for (let start = 0; start < rows.length; start += BATCH) {
    batches.push(rows.slice(start, start + BATCH));
  }
  return clock(async () => {
    await inParallel(CONNECTIONS, batches, writeBatch);
    return rows.length;
  });
}
