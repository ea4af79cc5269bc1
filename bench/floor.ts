import { Pool } from 'pg';

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

const COLUMNS =
  'chunk_id, entity_id, entity_name, content, source, chunk_index, total_chunks, title, location';

/** @param efSearch - as the product uses for the same search. */
export function openFloor(url: string, maxConnections: number, efSearch = 100): Pool {
  return new Pool({
    connectionString: url,
    max: maxConnections,
    options: `-c hnsw.ef_search=${efSearch} -c hnsw.iterative_scan=strict_order`,
  });
}

/** pgvector's binary format: int16 dimensions, int16 zero, big-endian float4. */
export function vectorBuffer(vector: ArrayLike<number>): Buffer {
  const buffer = Buffer.allocUnsafe(4 + 4 * vector.length);
  buffer.writeUInt32BE(vector.length << 16, 0);
  for (let i = 0; i < vector.length; i++) {
    buffer.writeFloatBE(vector[i] as number, 4 + 4 * i);
  }
  return buffer;
}

export function floorSearch(pool: Pool, query: Float32Array, topK: number) {
  return pool.query({
    name: `floor_search_${topK}`,
    text: `select ${COLUMNS}, vector <=> $1 as distance from embeddings order by distance limit ${topK}`,
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

const WRITTEN = [
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

function upsertStatement(rows: number): string {
  const width = WRITTEN.length;
  const values = Array.from(
    { length: rows },
    (_, row) => `(${WRITTEN.map((_column, column) => `$${row * width + column + 1}`).join(', ')})`,
  );
  const updates = WRITTEN.slice(1).map(column => `${column} = excluded.${column}`);
  return `insert into embeddings (${WRITTEN.join(', ')}) values ${values.join(', ')} on conflict (id) do update set ${updates.join(', ')}, updated_at = now()`;
}

function rowValues({ id, entityId, vector, content }: FloorRow): unknown[] {
  const hash = `${id}${content.length}`;
  return [id, id, entityId, entityId, vectorBuffer(vector), content, 'catalog', 0, 1, hash, hash];
}
