import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import { sql } from 'drizzle-orm';
import type { Database } from './connection';
import {
  type EmbeddingRow,
  hasIdAmong,
  lastOfEqualIds,
  PROPOSED_VALUES,
  toEmbeddingRow,
  WRITTEN_COLUMNS,
} from './embeddingRows';
import { embeddings } from './schema';

/**
 * Rows a statement, the last of them one: more than a hundred bring nothing (the index decides), and a
 * statement of many thousand parameters overflows the stack in Drizzle (`mergeQueries`).
 */
const ROWS_PER_STATEMENT = [128, 32, 8, 2, 1];

/** Ids compared by one statement. */
const IDS_PER_STATEMENT = 5_000;

/**
 * Writes embeddings, of which the last of equal ids wins. Call it in a transaction. Rows that are
 * there already as they should be are left untouched: PostgreSQL would insert them into the HNSW
 * index again (1,000 rows: 397 ms against 10 ms), so hashes are compared first.
 *
 * Unless all rows are treated alike, those that are there are locked before they are compared: two
 * batches that each leave alone what the other writes would otherwise both succeed in part. So every
 * batch takes its locks in the same order, the rows that are there before the new ones, each by id:
 * otherwise two of them could wait for each other.
 */
export async function upsertEmbeddings(
  transaction: Database,
  batch: EmbeddingVector[],
): Promise<void> {
  const rows = lastOfEqualIds(batch).map(toEmbeddingRow);
  let stored = await readHashes(transaction, rows);
  let changed = changedAmong(rows, stored);
  const isNew = stored.size === 0;
  const isAllChanged = stored.size === rows.length && changed.length === rows.length;
  if (changed.length > 0 && !isNew && !isAllChanged) {
    stored = await readHashes(transaction, rows, { lock: true });
    changed = changedAmong(rows, stored);
  }
  await write(transaction, changed);
}

/** What was stored of the rows that are there, by id. */
async function readHashes(
  transaction: Database,
  rows: EmbeddingRow[],
  { lock = false } = {},
): Promise<Map<string, string>> {
  const stored = new Map<string, string>();
  for (let start = 0; start < rows.length; start += IDS_PER_STATEMENT) {
    const ids = rows.slice(start, start + IDS_PER_STATEMENT).map(row => row.id);
    const query = transaction
      .select({
        id: embeddings.id,
        contentHash: embeddings.contentHash,
        vectorHash: embeddings.vectorHash,
      })
      .from(embeddings)
      .where(hasIdAmong(ids));
    // As `lastOfEqualIds` sorts, whatever the collation of the database.
    const byId = sql`${embeddings.id} collate "C"`;
    for (const row of await (lock ? query.orderBy(byId).for('no key update') : query)) {
      stored.set(row.id, row.contentHash + row.vectorHash);
    }
  }
  return stored;
}

function changedAmong(rows: EmbeddingRow[], stored: Map<string, string>): EmbeddingRow[] {
  return rows.filter(row => stored.get(row.id) !== row.contentHash + row.vectorHash);
}

async function write(transaction: Database, rows: EmbeddingRow[]): Promise<void> {
  let start = 0;
  for (const statement of STATEMENTS) {
    for (; start + statement.rows <= rows.length; start += statement.rows) {
      await statement
        .on(transaction)
        .execute(parameters(rows.slice(start, start + statement.rows)));
    }
  }
}

interface PreparedUpsert {
  execute(values: Record<string, unknown>): Promise<unknown>;
}

/** One named statement a session for each number of rows. */
class UpsertStatement {
  private readonly prepared = new WeakMap<Database, PreparedUpsert>();

  constructor(readonly rows: number) {}

  on(db: Database): PreparedUpsert {
    const statement = this.prepared.get(db) ?? this.prepare(db);
    this.prepared.set(db, statement);
    return statement;
  }

  private prepare(db: Database): PreparedUpsert {
    return db
      .insert(embeddings)
      .values(placeholders(this.rows))
      .onConflictDoUpdate({
        target: embeddings.id,
        set: { ...PROPOSED_VALUES, updatedAt: sql`now()` },
      })
      .prepare(`ask_ai_upsert_${this.rows}`);
  }
}

/**
 * Any number of rows is written by a few of these, the largest first: building a statement for just so
 * many rows costs as much as writing them where there is no index, and most of its memory.
 */
const STATEMENTS = ROWS_PER_STATEMENT.map(rows => new UpsertStatement(rows));

/**
 * Named by their position, for JavaScript keeps what is numbered in an array: names would be entries of
 * a hash table, made anew with every statement. Drizzle takes placeholders for values, but the type of
 * a row does not say so.
 */
function placeholders(rows: number): EmbeddingRow[] {
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(
      WRITTEN_COLUMNS.map((key, column) => [
        key,
        sql.placeholder(String(row * WRITTEN_COLUMNS.length + column)),
      ]),
    ),
  ) as unknown as EmbeddingRow[];
}

function parameters(rows: EmbeddingRow[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  let position = 0;
  for (const row of rows) {
    for (const key of WRITTEN_COLUMNS) {
      values[position] = row[key];
      position += 1;
    }
  }
  return values;
}
