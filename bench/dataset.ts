import type { Pool } from 'pg';
import type { FloorRow } from './floor';
import { floorLoad } from './floorLoad';
import { clusteredVectors } from './vectors';

/** Entities of the data set: in four namespaces of 10 %, 1 % and 0.1 % of the rows and the rest. */
const ENTITIES = 2_000;

/** Of the stored vectors; queries are drawn with another seed. */
const ROW_SEED = 1;
const QUERY_SEED = 2;

/** The first rows of the data set for a number of dimensions. */
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

/** Those of a namespace among the first rows of the data set. */
export function* namespaceRows(
  namespace: string,
  count: number,
  dimensions: number,
): Generator<FloorRow> {
  for (const row of datasetRows(count, dimensions)) {
    if (row.entityId.startsWith(`component:${namespace}/`)) {
      yield row;
    }
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

/** Queries, drawn like the stored vectors and not from them. */
export function queries(count: number, dimensions: number): Float32Array[] {
  const vectors = clusteredVectors(dimensions, QUERY_SEED);
  return Array.from({ length: count }, () => vectors.next());
}

/** Fills the empty table `embeddings`. Nothing of the product takes part. */
export async function fillTable(pool: Pool, count: number, dimensions: number): Promise<void> {
  await floorLoad(pool, datasetRows(count, dimensions));
  await pool.query('vacuum analyze embeddings');
}
