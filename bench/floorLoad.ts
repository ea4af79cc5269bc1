import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pool } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { type FloorRow, rowValues, WRITTEN } from './floor';

/** Enough for the graph of the largest index that a floor builds. */
const MAINTENANCE_WORK_MEM = '1GB';

/** Bytes handed to the socket at a time. */
const CHUNK_BYTES = 65_536;

/**
 * The fastest raw load of the empty table `embeddings`: without the vector index by COPY BINARY, then
 * the index by its own definition. Nothing of the product takes part.
 */
export async function floorLoad(pool: Pool, rows: Iterable<FloorRow>): Promise<void> {
  const client = await pool.connect();
  try {
    const { rows: indexes } = await client.query<{ name: string; definition: string }>(
      "select quote_ident(indexname) as name, indexdef as definition from pg_indexes where tablename = 'embeddings' and indexdef like '% USING hnsw %'",
    );
    for (const { name } of indexes) {
      await client.query(`drop index ${name}`);
    }
    const copy = `copy embeddings (${WRITTEN.join(', ')}) from stdin with (format binary)`;
    await pipeline(Readable.from(encodeCopy(rows)), client.query(copyFrom(copy)));
    await client.query(`set maintenance_work_mem = '${MAINTENANCE_WORK_MEM}'`);
    for (const { definition } of indexes) {
      await client.query(definition);
    }
  } finally {
    // With the session, its setting goes.
    client.release(true);
  }
}

/** The file format of "COPY", section "Binary Format", in PostgreSQL's manual. */
function* encodeCopy(rows: Iterable<FloorRow>): Generator<Buffer> {
  let parts: Buffer[] = [Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')];
  let size = 0;
  for (const row of rows) {
    const encoded = encodeTuple(rowValues(row));
    parts.push(encoded);
    size += encoded.length;
    if (size >= CHUNK_BYTES) {
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
    }
  }
  const trailer = Buffer.from([0xff, 0xff]);
  yield Buffer.concat([...parts, trailer]);
}

/** int16 number of fields, then for each an int32 length and the value as its type sends it. */
function encodeTuple(values: (string | number | Buffer)[]): Buffer {
  const sizes = values.map(sizeOf);
  const tuple = Buffer.allocUnsafe(2 + sizes.reduce((sum, size) => sum + 4 + size, 0));
  let position = tuple.writeInt16BE(values.length, 0);
  values.forEach((value, index) => {
    const size = sizes[index] as number;
    position = tuple.writeInt32BE(size, position);
    if (typeof value === 'number') {
      tuple.writeInt32BE(value, position);
    } else if (typeof value === 'string') {
      tuple.write(value, position, 'utf8');
    } else {
      value.copy(tuple, position);
    }
    position += size;
  });
  return tuple;
}

function sizeOf(value: string | number | Buffer): number {
  return typeof value === 'number' ? 4 : Buffer.byteLength(value);
}
