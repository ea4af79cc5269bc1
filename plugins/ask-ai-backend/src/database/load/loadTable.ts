import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import type {
  EmbeddingStream,
  EmbeddingVector,
  LoadOptions,
  LoadResult,
  StoredDocument,
} from 'backstage-plugin-ask-ai-node';
import { sql } from 'drizzle-orm';
import { ConflictError } from '../../errors';
import { reportAtTimes } from '../../lib/reportAtTimes';
import { streamBatches } from '../../lib/streamBatches';
import { validateEmbeddings, validateRecord } from '../../lib/validation';
import type { CopyIn, Database, DatabaseConnection } from '../connection';
import { lastOfEqualIds, toEmbeddingRow } from '../embeddingRows';
import { withLockRetries } from '../lockRetries';
import { withMaintenanceLock } from '../maintenanceLock';
import { embeddings } from '../schema';
import { beginCapture, endCapture, isCapturing, takeChanges } from './captureChanges';
import { copyStatement, encodeCopy } from './copyFormat';
import { StagingTable } from './stagingTable';

/** What a load puts in the place of `embeddings`. */
export interface TableLoad extends LoadOptions {
  dimensions: number;
  definition: VectorIndexDefinition;
  /** The records that take the place of all; left out: the records stay. */
  documents?(): Iterable<StoredDocument>;
  /** Rejects with a ConflictError, before the stream is read, when there are rows already. */
  onlyIfEmpty?: boolean;
}

/** Rows of one COPY, about 5 MB: two of them are in memory at a time. */
const ROWS_PER_COPY = 2_000;

const RECORDS_PER_STATEMENT = 1_000;

/** Notes that may be left when everybody is made to wait for the last of them. */
const FEW_CHANGES = 100;
const MAX_CATCH_UPS = 10;

/**
 * Puts a stream in the place of the table `embeddings`, without its vector index being written row by
 * row, and without a reader ever seeing a part of it:
 *
 * 1. Triggers begin to note what others write to `embeddings` (`captureChanges.ts`).
 * 2. The rows are copied into a table beside it (`StagingTable`), which then gets its indexes.
 * 3. The rows that were noted are taken over, again and again until few are left; then, with everybody
 *    waiting for a moment, those, too, and the new table takes the place of the old one.
 *
 * On a server, 2 and 3 are one transaction: a killed process leaves nothing but the notes, which the
 * next load, or the next start, removes.
 *
 * @throws ConflictError while another load or rebuild is under way; VectorStoreSchemaError when the role
 * may not make tables; what the stream throws; the signal's reason.
 */
export async function loadTable(
  connection: DatabaseConnection,
  stream: EmbeddingStream,
  load: TableLoad,
): Promise<LoadResult> {
  let hasBegun = false;
  try {
    return await withMaintenanceLock(connection, async (session, copyIn) => {
      hasBegun = true;
      await withLockRetries(work => connection.transaction(work), beginCapture, load.signal);
      // From here on, what others write is noted.
      if (load.onlyIfEmpty && !(await isEmpty(session))) {
        throw new ConflictError('Rows came into the table that was empty.');
      }
      const staging = await StagingTable.create(session, load);
      const result = await copyStream({ connection, session, copyIn, staging }, stream, load);
      await staging.buildIndexes(connection, session, result.received, {
        signal: load.signal,
        onProgress: ({ share }) =>
          load.onProgress?.({ phase: 'indexing', rowsWritten: result.received, indexed: share }),
      });
      await addDocuments(session, staging, load);
      await catchUp(session, staging);
      await withLockRetries(
        work => session.transaction(work),
        transaction => finish(transaction, staging, load),
        load.signal,
      );
      return result;
    });
  } catch (error) {
    if (hasBegun) {
      // Where that fails, the next load or start does it.
      await cleanUpLoad(connection).catch(() => {});
    }
    throw error;
  }
}

/** Removes what killed loads left, unless one is under way. */
export async function cleanUpLoad(connection: DatabaseConnection): Promise<void> {
  const { db } = connection;
  if (!(await isCapturing(db)) && !(await StagingTable.isLeft(db))) {
    return;
  }
  await withMaintenanceLock(connection, async session => {
    await endCapture(session);
    await StagingTable.drop(session);
  });
}

async function isEmpty(db: Database): Promise<boolean> {
  const rows = await db.select({ id: embeddings.id }).from(embeddings).limit(1);
  return rows.length === 0;
}

interface Target {
  connection: DatabaseConnection;
  session: Database;
  copyIn: CopyIn;
  staging: StagingTable;
}

/** The server takes in a batch while the next one is fetched and encoded. */
async function copyStream(
  { connection, session, copyIn, staging }: Target,
  stream: EmbeddingStream,
  { dimensions, onProgress, signal }: TableLoad,
): Promise<LoadResult> {
  // A table that its own transaction made can be frozen as it is written.
  const statement = copyStatement(staging.table, { freeze: connection.kind === 'postgresql' });
  const report = reportAtTimes((rowsWritten: number) =>
    onProgress?.({ phase: 'writing', rowsWritten }),
  );
  let received = 0;
  let writing: Promise<void> = Promise.resolve();
  const write = async (batch: EmbeddingVector[], isFirst: boolean) => {
    const rows = lastOfEqualIds(batch).map(toEmbeddingRow);
    const data = encodeCopy(rows);
    await writing;
    if (!isFirst) {
      await staging.removeRows(
        session,
        rows.map(({ id }) => id),
      );
    }
    await copyIn(statement, data);
  };
  for await (const batch of streamBatches(stream, ROWS_PER_COPY, signal)) {
    validateEmbeddings(batch, dimensions, received);
    await writing;
    report(received);
    writing = write(batch, received === 0);
    // It is awaited with the next batch; until then, its failure is not unhandled.
    writing.catch(() => {});
    received += batch.length;
  }
  await writing;
  onProgress?.({ phase: 'writing', rowsWritten: received });
  return { received };
}

async function addDocuments(
  session: Database,
  staging: StagingTable,
  { documents, signal }: TableLoad,
): Promise<void> {
  if (!documents) {
    return;
  }
  for await (const records of streamBatches(documents(), RECORDS_PER_STATEMENT, signal)) {
    for (const record of records) {
      validateRecord(record);
    }
    await staging.addDocuments(session, records);
  }
}

/** So that few changes are left when everybody waits. */
async function catchUp(session: Database, staging: StagingTable): Promise<void> {
  for (let round = 0; round < MAX_CATCH_UPS; round++) {
    const count = await takeChanges(session, (condition, options) =>
      staging.takeOver(session, condition, options),
    );
    if (count <= FEW_CHANGES) {
      return;
    }
  }
}

async function finish(
  transaction: Database,
  staging: StagingTable,
  { documents }: TableLoad,
): Promise<void> {
  // At once, and not a weaker lock first: a writer that has read the table and waits to write it would
  // never end, with us waiting for it.
  await transaction.execute(sql`lock table ${embeddings} in access exclusive mode`);
  await takeChanges(transaction, (condition, options) =>
    staging.takeOver(transaction, condition, options),
  );
  await endCapture(transaction);
  await staging.swapIn(transaction, { withDocuments: documents !== undefined });
}
