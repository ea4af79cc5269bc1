import type {
  EmbeddingStream,
  EmbeddingVector,
  LoadOptions,
  LoadResult,
} from 'backstage-plugin-ask-ai-node';
import { sql } from 'drizzle-orm';
import { reportAtTimes } from '../../lib/reportAtTimes';
import { streamBatches } from '../../lib/streamBatches';
import { validateEmbeddings } from '../../lib/validation';
import { type Database, type DatabaseConnection, selectRows } from '../connection';
import { lastOfEqualIds } from '../embeddingRows';
import { upsertEmbeddings } from '../upsert';
import { loadTable, type TableLoad } from './loadTable';

/** With fewer rows, a load of the table takes longer than writing them. */
const FEW_ROWS = 1_000;

/** Rows of a transaction. */
const ROWS_PER_WRITER = 500;

/** More than this only wait for each other in the index. */
const MAX_WRITERS = 4;

/** What a stream is stored with. */
export interface StreamOptions extends LoadOptions, Pick<TableLoad, 'dimensions' | 'definition'> {
  /** Gets to know why rows are written one by one where a load would be faster. */
  warn(message: string): void;
}

/**
 * Stores a stream: as a load of the table where that is empty, else by transactions of 500 rows on
 * several connections.
 *
 * @returns also whether it was a load.
 */
export async function storeStream(
  connection: DatabaseConnection,
  stream: EmbeddingStream,
  options: StreamOptions,
): Promise<LoadResult & { isLoad: boolean }> {
  const writers = Math.max(1, Math.min(MAX_WRITERS, connection.maxConnections - 1));
  const batches = streamBatches(stream, writers * ROWS_PER_WRITER, options.signal);
  const head: EmbeddingVector[] = [];
  for (let isEnd = false; !isEnd && head.length < FEW_ROWS; ) {
    const { value, done } = await batches.next();
    head.push(...(value ?? []));
    isEnd = done === true;
  }
  if (head.length >= FEW_ROWS && (await isLoadable(connection.db, options))) {
    try {
      const load = { ...options, onlyIfEmpty: true };
      return { ...(await loadTable(connection, chain(head, batches), load)), isLoad: true };
    } catch (error) {
      if ((error as Error).name !== 'ConflictError') {
        throw error;
      }
      // Somebody else loads the table, or has written to it; the stream was not read.
    }
  }
  return {
    ...(await writeRows(connection, chain(head, batches), writers, options)),
    isLoad: false,
  };
}

/** An empty table that the role may exchange, of which nothing else would be lost. */
async function isLoadable(db: Database, { warn }: StreamOptions): Promise<boolean> {
  const [row] = await selectRows<{ empty: boolean; allowed: boolean }>(
    db,
    sql`
      select not exists (select from embeddings) as empty,
        pg_has_role(relowner, 'USAGE') and has_schema_privilege(relnamespace, 'CREATE') as allowed
      from pg_class where oid = 'embeddings'::regclass`,
  );
  if (row?.empty && !row.allowed) {
    warn(
      'Rows are written one by one, which takes about eight times as long: to load the table, the role must own it and may create tables in its schema.',
    );
  }
  return Boolean(row?.empty && row.allowed);
}

/** All writers end before the next batch is handed out, so that the last of equal ids wins. */
async function writeRows(
  connection: DatabaseConnection,
  stream: EmbeddingStream,
  writers: number,
  { dimensions, onProgress, signal }: StreamOptions,
): Promise<LoadResult> {
  const report = reportAtTimes((rowsWritten: number) =>
    onProgress?.({ phase: 'writing', rowsWritten }),
  );
  let received = 0;
  for await (const batch of streamBatches(stream, writers * ROWS_PER_WRITER, signal)) {
    validateEmbeddings(batch, dimensions, received);
    const rows = lastOfEqualIds(batch);
    const share = Math.ceil(rows.length / writers);
    const shares = Array.from({ length: writers }, (_, writer) =>
      rows.slice(writer * share, (writer + 1) * share),
    );
    await settleAll(
      shares
        .filter(part => part.length > 0)
        .map(part => connection.transaction(transaction => upsertEmbeddings(transaction, part))),
    );
    received += batch.length;
    report(received);
  }
  onProgress?.({ phase: 'writing', rowsWritten: received });
  return { received };
}

/** Waits for all of them, so that nothing is under way after a failure. */
async function settleAll(works: Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(works)) {
    if (result.status === 'rejected') {
      throw result.reason;
    }
  }
}

async function* chain(
  head: EmbeddingVector[],
  batches: AsyncGenerator<EmbeddingVector[]>,
): AsyncGenerator<EmbeddingVector> {
  try {
    yield* head;
    for await (const batch of batches) {
      yield* batch;
    }
  } finally {
    await batches.return(undefined);
  }
}
