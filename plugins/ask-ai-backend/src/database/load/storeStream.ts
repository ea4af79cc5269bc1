import type {
  EmbeddingStream,
  EmbeddingVector,
  LoadOptions,
  LoadResult,
} from 'backstage-plugin-ask-ai-node';
import { reportAtTimes } from '../../lib/reportAtTimes';
import { streamBatches } from '../../lib/streamBatches';
import { validateEmbeddings } from '../../lib/validation';
import type { DatabaseConnection } from '../connection';
import { isEmpty } from '../counts';
import { driverError } from '../databaseErrors';
import { lastOfEqualIds } from '../embeddingRows';
import { LOCK_NOT_AVAILABLE } from '../sqlStates';
import { upsertEmbeddings } from '../upsert';
import { readLoadObstacle } from './loadObstacle';
import { loadTable, type TableLoad } from './loadTable';

/** With fewer rows, a load of the table takes longer than writing them. */
const FEW_ROWS = 1_000;

/** Rows of a transaction. */
const ROWS_PER_WRITER = 500;

/** More than this only wait for each other in the index. */
const MAX_WRITERS = 4;

/** What a stream is stored with. */
export interface StreamOptions
  extends LoadOptions,
    Pick<TableLoad, 'dimensions' | 'definition' | 'textSearchConfig'> {
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
  try {
    const head: EmbeddingVector[] = [];
    for (let isEnd = false; !isEnd && head.length < FEW_ROWS; ) {
      const { value, done } = await batches.next();
      head.push(...(value ?? []));
      isEnd = done === true;
    }
    const all = new Chain(head, batches);
    const loaded = await loadIfEmpty(connection, all, options);
    return loaded
      ? { ...loaded, isLoad: true }
      : { ...(await writeRows(connection, all, writers, options)), isLoad: false };
  } finally {
    await batches.return(undefined);
  }
}

/** @returns `undefined`, with nothing read of the stream, when the rows must be written one by one. */
async function loadIfEmpty(
  connection: DatabaseConnection,
  stream: Chain,
  options: StreamOptions,
): Promise<LoadResult | undefined> {
  if (stream.head.length < FEW_ROWS || !(await isEmpty(connection.db))) {
    return undefined;
  }
  const obstacle = await readLoadObstacle(connection.admin.db);
  if (obstacle !== undefined) {
    options.warn(`${ONE_BY_ONE}: ${obstacle}.`);
    return undefined;
  }
  try {
    return await loadTable(connection.admin, stream, { ...options, onlyIfEmpty: true });
  } catch (error) {
    if (stream.isRead) {
      throw error;
    }
    const { code, message, name } = driverError(error) as Error & { code?: string };
    if (code === INSUFFICIENT_PRIVILEGE) {
      options.warn(`${ONE_BY_ONE}: ${message}.`);
    } else if (name !== 'ConflictError' && code !== LOCK_NOT_AVAILABLE) {
      // Not that somebody else loads the table, or has written to it.
      throw error;
    }
    return undefined;
  }
}

const ONE_BY_ONE =
  'Rows are written one by one, which takes about eight times as long as loading the table embeddings';

/** SQLSTATE. */
const INSUFFICIENT_PRIVILEGE = '42501';

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

/** The beginning of a stream, which was looked at, and then the rest. */
class Chain implements AsyncIterable<EmbeddingVector> {
  /** Once it is, nothing can begin again from the start. */
  isRead = false;

  constructor(
    readonly head: readonly EmbeddingVector[],
    private readonly rest: AsyncIterable<EmbeddingVector[]>,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<EmbeddingVector> {
    this.isRead = true;
    yield* this.head;
    for await (const batch of this.rest) {
      yield* batch;
    }
  }
}
