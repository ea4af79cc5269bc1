import type { Pool } from 'pg';
import { type FloorRow, floorUpsert } from './floor';
import { clusteredVectors } from './vectors';

/** Entities of the data set: 10 namespaces of which the sizes are 10 %, 1 % and 0.1 % and the rest. */
const ENTITIES = 2_000;

/** Rows written in one transaction while a table is filled. */
const FILL_BATCH = 2_000;

/** Of the stored vectors; queries are drawn with another seed. */
const ROW_SEED = 1;
const QUERY_SEED = 2;

/** The n-th row of the data set for a number of dimensions. */
export function* datasetRows(count: number, dimensions: number): Generator<FloorRow> {
  const vectors = clusteredVectors(dimensions, ROW_SEED);
  for (let row = 0; row < count; row++) {
    yield {
      id: `chunk-${String(row).padStart(8, '0')}`,
      entityId: entityOf(row),
      vector: vectors.next(),
      content: `Row ${row}: how the service is configured, deployed and rolled back.`,
    };
  }
}

/** One row in ten is of namespace `tenth`, one in a hundred of `hundredth`, and so on. */
export function entityOf(row: number): string {
  const namespace =
    row % 1_000 === 1
      ? 'thousandth'
      : row % 100 === 2
        ? 'hundredth'
        : row % 10 === 3
          ? 'tenth'
          : 'rest';
  return `component:${namespace}/service-${row % ENTITIES}`;
}

export function queries(count: number, dimensions: number): Float32Array[] {
  const vectors = clusteredVectors(dimensions, QUERY_SEED);
  return Array.from({ length: count }, () => vectors.next());
}

/**
 * Fills the empty table `embeddings`: rows first, then the vector index by its own definition, which
 * takes a fraction of the time. Nothing of the product takes part.
 */
export async function fillTable(pool: Pool, count: number, dimensions: number): Promise<void> {
  const { rows } = await pool.query<{ indexdef: string }>(
    "select indexdef from pg_indexes where indexname = 'embeddings_vector_idx'",
  );
  await pool.query('drop index embeddings_vector_idx');
  let batch: FloorRow[] = [];
  for (const row of datasetRows(count, dimensions)) {
    batch.push(row);
    if (batch.length === FILL_BATCH) {
      await floorUpsert(pool, batch);
      batch = [];
    }
  }
  await floorUpsert(pool, batch);
  const client = await pool.connect();
  try {
    await client.query("set maintenance_work_mem = '1GB'");
    await client.query(rows[0]?.indexdef ?? '');
  } finally {
    client.release();
  }
  await pool.query('vacuum analyze embeddings');
}
