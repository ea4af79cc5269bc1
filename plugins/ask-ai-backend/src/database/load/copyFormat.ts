import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { type EmbeddingRow, WRITTEN_COLUMNS } from '../embeddingRows';
import { embeddings } from '../schema';
import type { VectorParameter } from '../vectorColumn';

/** Signature, no flags, no extension (PostgreSQL's manual, COPY, "Binary Format"). */
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const TRAILER = Buffer.from([0xff, 0xff]);
const NULL_LENGTH = Buffer.from([0xff, 0xff, 0xff, 0xff]);

/** The columns that are written, as SQL names them. */
export const writtenColumns: SQL = sql.join(
  WRITTEN_COLUMNS.map(key => sql.identifier(getTableColumns(embeddings)[key].name)),
  sql`, `,
);

/** `freeze` spares a later VACUUM, and needs a table that the transaction made itself. */
export function copyStatement(table: PgTable, { freeze }: { freeze: boolean }): SQL {
  return sql`copy ${table} (${writtenColumns}) from stdin with (format binary${freeze ? sql`, freeze` : sql``})`;
}

/** Rows in the binary format of COPY, for {@link copyStatement}. */
export function encodeCopy(rows: readonly EmbeddingRow[]): Buffer[] {
  const parts: Buffer[] = [HEADER];
  for (const row of rows) {
    parts.push(fieldCount);
    for (const key of WRITTEN_COLUMNS) {
      pushField(parts, row[key]);
    }
  }
  parts.push(TRAILER);
  return [Buffer.concat(parts)];
}

const fieldCount = int16(WRITTEN_COLUMNS.length);

function pushField(parts: Buffer[], value: EmbeddingRow[(typeof WRITTEN_COLUMNS)[number]]): void {
  if (value === null || value === undefined) {
    parts.push(NULL_LENGTH);
    return;
  }
  const field = encodeField(value);
  parts.push(int32(field.length), field);
}

function encodeField(value: string | number | VectorParameter): Buffer {
  if (typeof value === 'string') {
    return Buffer.from(value, 'utf8');
  }
  return typeof value === 'number' ? int32(value) : value.toPostgres();
}

function int16(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeInt32BE(value);
  return buffer;
}
