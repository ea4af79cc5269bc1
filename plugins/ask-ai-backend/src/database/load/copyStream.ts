import type { EmbeddingStream, EmbeddingVector, LoadResult } from 'backstage-plugin-ask-ai-node';
import { reportAtTimes } from '../../lib/reportAtTimes';
import { streamBatches } from '../../lib/streamBatches';
import { validateEmbeddings } from '../../lib/validation';
import type { CopyIn, Database, DatabaseConnection } from '../connection';
import { lastOfEqualIds, toEmbeddingRow } from '../embeddingRows';
import { copyStatement, encodeCopy } from './copyFormat';
import type { StagingTable } from './stagingTable';

/** Rows of one COPY, about 1 MB: two of them are in memory at a time. Larger ones bring no speed. */
const ROWS_PER_COPY = 500;

/** Where a stream is copied to. */
export interface CopyTarget {
  connection: DatabaseConnection;
  session: Database;
  copyIn: CopyIn;
  staging: StagingTable;
}

/** How a stream is copied. */
export interface CopyOptions {
  dimensions: number;
  /** Called four times a second at most, and at the end. */
  onRows?(rowsWritten: number): void;
  signal?: AbortSignal;
}

/** The server takes in a batch while the next one is fetched and encoded. */
export async function copyStream(
  { connection, session, copyIn, staging }: CopyTarget,
  stream: EmbeddingStream,
  { dimensions, onRows = () => {}, signal }: CopyOptions,
): Promise<LoadResult> {
  // A table that its own transaction made can be frozen as it is written.
  const statement = copyStatement(staging.table, { freeze: connection.kind === 'postgresql' });
  const report = reportAtTimes(onRows);
  let received = 0;
  let writing: Promise<void> = Promise.resolve();
  const write = async (batch: EmbeddingVector[], isFirst: boolean) => {
    const rows = lastOfEqualIds(batch).map(toEmbeddingRow);
    const data = encodeCopy(rows);
    if (!isFirst) {
      await staging.removeRows(
        session,
        rows.map(({ id }) => id),
      );
    }
    await copyIn(statement, data);
  };
  try {
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
  } catch (error) {
    // Or it would go on in a session that was given back, and write into the table of the next load.
    await writing.catch(() => {});
    throw error;
  }
  onRows(received);
  return { received };
}
