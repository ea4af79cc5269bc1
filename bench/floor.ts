import { Pool, type QueryResult } from 'pg';

/**
 * The raw floor: what node-postgres alone can do on the same table, columns, indexes and index
 * settings, in the binary format and with named statements. Nothing of the product is imported here.
 */

/** A row as the floor writes it: the columns that carry a chunk, nothing generated. */
export interface FloorRow {
  id: string;
  entityId: string;
  vector: Float32Array;
  content: string;
}

/** Settings of the scan, as the product uses for the same search. */
export interface ScanSettings {
  efSearch: number;
}

const COLUMNS =
  'chunk_id, entity_id, entity_name, content, source, chunk_index, total_chunks, title, location';

/** @param scan - given at session start; without, the settings of the database hold. */
export function openFloor(url: string, maxConnections: number, scan?: ScanSettings): Pool {
  const options = scan && `-c hnsw.ef_search=${scan.efSearch} -c hnsw.iterative_scan=relaxed_order`;
  return new Pool({ connectionString: url, max: maxConnections, options });
}

/** For sessions that can't bring settings of their own, because a proxy shares them. */
export async function setForDatabase(pool: Pool, { efSearch }: ScanSettings): Promise<void> {
  const { rows } = await pool.query('select quote_ident(current_database()) as name');
  await pool.query(`alter database ${rows[0].name} set hnsw.ef_search = ${efSearch}`);
  await pool.query(`alter database ${rows[0].name} set hnsw.iterative_scan = relaxed_order`);
}

/** pgvector's binary format: int16 dimensions, int16 zero, big-endian float4. */
export function vectorBuffer(vector: ArrayLike<number>): Buffer {
  const buffer = Buffer.allocUnsafe(4 + 4 * vector.length);
  // A quarter of the time of `buffer.writeFloatBE`.
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  view.setUint32(0, vector.length << 16);
  for (let i = 0; i < vector.length; i++) {
    view.setFloat32(4 + 4 * i, vector[i] as number);
  }
  return buffer;
}

/** By the index of full precision. */
export function floorSearch(pool: Pool, query: Float32Array, topK: number) {
  return pool.query({
    name: `floor_search_${topK}`,
    text: `select ${COLUMNS}, vector <=> $1 as distance from embeddings order by distance limit ${topK}`,
    values: [vectorBuffer(query)],
  });
}

/** By the index of half precision, with the distances of the full vectors. */
export function floorHalfSearch(pool: Pool, query: Float32Array, topK: number) {
  const half = `halfvec(${query.length})`;
  return pool.query({
    name: `floor_half_search_${topK}`,
    text: `select * from (select ${COLUMNS}, vector <=> $1::vector as distance from embeddings order by vector::${half} <=> $1::vector::${half} limit ${topK}) nearest order by distance`,
    values: [vectorBuffer(query)],
  });
}

export function floorEntitySearch(pool: Pool, query: Float32Array, topK: number, entityId: string) {
  return pool.query({
    name: `floor_entity_${topK}`,
    text: `select ${COLUMNS}, (vector <=> $1) + 0 as distance from embeddings where entity_id = $2 order by distance limit ${topK}`,
    values: [vectorBuffer(query), entityId],
  });
}

/** The namespace is part of the text, so that even a named statement is planned for it. */
export function floorNamespaceSearch(
  pool: Pool,
  query: Float32Array,
  topK: number,
  namespace: string,
) {
  return pool.query({
    name: `floor_${namespace}_${topK}`,
    text: `select ${COLUMNS}, vector <=> $1 as distance from embeddings where entity_namespace = '${namespace}' order by distance limit ${topK}`,
    values: [vectorBuffer(query)],
  });
}

/** Ids of the chunks that a search of the floor found. */
export function floorIds({ rows }: QueryResult): string[] {
  return rows.map(row => row.chunk_id as string);
}

/** Rows of one statement: more bring nothing, the index decides. */
const ROWS_PER_STATEMENT = 100;

/** One transaction that inserts or updates all rows. */
export async function floorUpsert(pool: Pool, rows: FloorRow[]): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
      const part = rows.slice(start, start + ROWS_PER_STATEMENT);
      await client.query({
        name: `floor_upsert_${part.length}`,
        text: upsertStatement(part.length),
        values: part.flatMap(rowValues),
      });
    }
    await client.query('commit');
  } finally {
    client.release();
  }
}

/** What the floor writes, in the order of {@link rowValues}. */
export const WRITTEN = [
  'id',
  'chunk_id',
  'entity_id',
  'entity_name',
  'vector',
  'content',
  'source',
  'chunk_index',
  'total_chunks',
  'content_hash',
  'vector_hash',
];

/** Text as strings, integers as numbers, the vector as a Buffer. */
export function rowValues({
  id,
  entityId,
  vector,
  content,
}: FloorRow): (string | number | Buffer)[] {
  const hash = `${id}${content.length}`;
  return [id, id, entityId, entityId, vectorBuffer(vector), content, 'catalog', 0, 1, hash, hash];
}

function upsertStatement(rows: number): string {
  const width = WRITTEN.length;
  const values = Array.from(
    { length: rows },
    (_, row) => `(${WRITTEN.map((_column, column) => `$${row * width + column + 1}`).join(', ')})`,
  );
  const updates = WRITTEN.slice(1).map(column => `${column} = excluded.${column}`);
  return `insert into embeddings (${WRITTEN.join(', ')}) values ${values.join(', ')} on conflict (id) do update set ${updates.join(', ')}, updated_at = now()`;
}
