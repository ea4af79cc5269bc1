import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import type {
  EmbeddingStream,
  LoadOptions,
  LoadResult,
  StoredDocument,
} from 'backstage-plugin-ask-ai-node';
import { sql } from 'drizzle-orm';
import { ConflictError } from '../../errors';
import { lastOfEqualDocuments } from '../../lib/lastOfEqualDocuments';
import { streamBatches } from '../../lib/streamBatches';
import { validateRecord } from '../../lib/validation';
import type { Database, DatabaseConnection } from '../connection';
import { isEmpty } from '../counts';
import { withLockRetries } from '../lockRetries';
import { withMaintenanceLock } from '../maintenanceLock';
import { embeddings } from '../schema';
import { cancellable } from '../vectorIndex/cancellable';
import { beginCapture, countChanges, endCapture, takeChanges } from './captureChanges';
import { cleanUpLoad } from './cleanUpLoad';
import { type CopyTarget, copyStream } from './copyStream';
import { assertNoLoadObstacle } from './loadObstacle';
import { type Definition, isSameDefinition, readDefinition } from './readDefinition';
import { StagingTable } from './stagingTable';

/** What a load puts in the place of `embeddings`. */
export interface TableLoad extends LoadOptions {
  dimensions: number;
  definition: VectorIndexDefinition;
  /** What the words are made by; left out: as it is. */
  textSearchConfig?: string;
  /** The records that take the place of all; left out: the records stay. */
  documents?(): Iterable<StoredDocument>;
  /**
   * Rejects before the stream is read, when there are rows already (ConflictError), or when somebody has
   * written some and does not commit (SQLSTATE 55P03).
   */
  onlyIfEmpty?: boolean;
}

const RECORDS_PER_STATEMENT = 1_000;

/** Notes that may be left when everybody is made to wait for the last of them. */
const FEW_CHANGES = 100;
/** Worth to keep the table from being altered while its indexes are built. */
const MANY_CHANGES = 1_000;
const MAX_CATCH_UPS = 10;

/** Who can write the rows one by one does not wait longer for those who have written and do not end. */
const PATIENCE_MS = 3_000;

/**
 * Puts a stream in the place of the table `embeddings`, without its vector index being written row by
 * row, and without a reader ever seeing a part of it:
 *
 * 1. Triggers begin to note what others write to `embeddings` (`captureChanges.ts`).
 * 2. The rows are copied into a table beside it (`StagingTable`), which then gets its indexes.
 * 3. The rows that were noted are taken over, again and again until few are left; then, with everybody
 *    waiting for a moment, those, too, and the new table takes the place of the old one.
 *
 * On a server, 2 and 3 are one transaction: a load that failed leaves nothing but the notes, which
 * `cleanUpLoad`, the next load or the next start removes.
 *
 * @throws ConflictError while another load or rebuild is under way, or when the table was altered
 * meanwhile; VectorStoreSchemaError when the role may not exchange the table, or others rely on it; what
 * the stream throws; the signal's reason.
 */
export async function loadTable(
  connection: DatabaseConnection,
  stream: EmbeddingStream,
  load: TableLoad,
): Promise<LoadResult> {
  const { signal } = load;
  await assertNoLoadObstacle(connection.db);
  let hasBegun = false;
  try {
    return await withMaintenanceLock(connection, (session, copyIn) =>
      cancellable(connection, session, signal, async () => {
        hasBegun = true;
        const definition = await withLockRetries(
          work => connection.transaction(work),
          begin,
          signal,
          load.onlyIfEmpty ? PATIENCE_MS : undefined,
        );
        // From here on, what others write is noted. The session itself does not touch the table before
        // it must: it would keep it from being altered, and everybody waits behind whoever alters it.
        if (load.onlyIfEmpty && !(await isEmpty(connection.db))) {
          throw new ConflictError('Rows came into the table that was empty.');
        }
        const staging = await StagingTable.create(session, load);
        const result = await fill({ connection, session, copyIn, staging }, stream, load);
        await withLockRetries(
          async work => {
            await catchUp(session, staging, signal);
            return session.transaction(work);
          },
          transaction => finish(transaction, staging, load, definition),
          signal,
        );
        return result;
      }),
    );
  } catch (error) {
    if (hasBegun) {
      // Where somebody reads the table for long, the upkeep of the store does it later.
      await cleanUpLoad(connection).catch(() => {});
    }
    throw error;
  }
}

/** @returns what the table is as the load begins. */
async function begin(transaction: Database): Promise<Definition> {
  await StagingTable.drop(transaction);
  await beginCapture(transaction);
  await StagingTable.prepare(transaction);
  return readDefinition(transaction);
}

/** With the rows of the stream, the indexes and the records, and what others wrote by then. */
async function fill(
  target: CopyTarget,
  stream: EmbeddingStream,
  load: TableLoad,
): Promise<LoadResult> {
  const { connection, session, staging } = target;
  const { onProgress, signal } = load;
  const result = await copyStream(target, stream, {
    dimensions: load.dimensions,
    onRows: rowsWritten => onProgress?.({ phase: 'writing', rowsWritten }),
    signal,
  });
  await addDocuments(session, staging, load);
  if ((await countChanges(session)) > MANY_CHANGES) {
    // They are taken over many times faster before there is a vector index.
    await catchUp(session, staging, signal);
  }
  const report = (indexed: number) =>
    onProgress?.({ phase: 'indexing', rowsWritten: result.received, indexed });
  let reached = 0;
  report(reached);
  await staging.buildIndexes(connection, session, result.received, {
    signal,
    onProgress: ({ share = 0 }) => {
      // A build that had to begin again, without workers, is not told twice.
      reached = Math.max(reached, Math.min(share, 1));
      report(reached);
    },
  });
  report(1);
  return result;
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
    await staging.addDocuments(session, lastOfEqualDocuments(records));
  }
}

/** So that few changes are left when everybody waits. */
async function catchUp(
  session: Database,
  staging: StagingTable,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let round = 0; round < MAX_CATCH_UPS; round++) {
    signal?.throwIfAborted();
    const count = await takeChanges(session, (condition, options) =>
      staging.takeOver(session, condition, options),
    );
    if (count <= FEW_CHANGES) {
      return;
    }
  }
}

/** @param definition - of the table at the beginning of the load. */
async function finish(
  transaction: Database,
  staging: StagingTable,
  { documents }: TableLoad,
  definition: Definition,
): Promise<void> {
  // At once, and not a weaker lock first: a writer that has read the table and waits to write it would
  // never end, with us waiting for it.
  await transaction.execute(sql`lock table ${embeddings} in access exclusive mode`);
  if (!isSameDefinition(definition, await readDefinition(transaction))) {
    throw new ConflictError(
      'The table embeddings was altered, or got another embedding space, while it was being loaded: load it again.',
    );
  }
  await assertNoLoadObstacle(transaction);
  await takeChanges(transaction, (condition, options) =>
    staging.takeOver(transaction, condition, options),
  );
  await endCapture(transaction);
  await staging.swapIn(transaction, { withDocuments: documents !== undefined });
}
