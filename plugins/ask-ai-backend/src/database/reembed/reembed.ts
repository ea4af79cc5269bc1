import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import type {
  DocumentKey,
  EmbedChunks,
  EmbeddingSpace,
  ReembedOptions,
  ReembedProgress,
  ReembedResult,
} from 'backstage-plugin-ask-ai-node';
import { sql } from 'drizzle-orm';
import { ConflictError } from '../../errors';
import { documentName } from '../../lib/documentName';
import { describeSpace } from '../../lib/embeddingSpace';
import { reportAtTimes } from '../../lib/reportAtTimes';
import type { Database, DatabaseConnection } from '../connection';
import { countChunks } from '../counts';
import { isOfDocuments } from '../documentRows';
import { toDocumentChunk } from '../embeddingRows';
import { writeEmbeddingSpace } from '../embeddingSpace';
import { assertNoLoadObstacle } from '../load/loadObstacle';
import { withLockRetries } from '../lockRetries';
import { withCleanUpLock, withMaintenanceLock } from '../maintenanceLock';
import { embeddings, indexedDocuments, vectorIndexCalibration } from '../schema';
import { liftTimeLimits } from '../timeLimits';
import { type EmbeddedRow, NextTable, type PendingRow } from './NextTable';

/** A few megabytes. */
const DEFAULT_BATCH_SIZE = 500;

/** What a store is to be changed to. */
export interface ReembedTarget {
  space: EmbeddingSpace;
  definition: VectorIndexDefinition;
}

/**
 * Takes all that is stored into another space:
 *
 * 1. The live rows that the table `embeddings_next` has not, or not as they are now, are embedded and
 *    written there, each batch for good, until a look finds none.
 * 2. Its indexes are built, and what came meanwhile is embedded, too.
 * 3. With writers waiting for a moment, a last look finds nothing new, and the table takes the place of
 *    `embeddings`, together with the record of the space: one transaction.
 *
 * A killed process leaves the table, and the next call for the same space goes on with it.
 *
 * @throws ConflictError while a load, a rebuild or another change of space is under way, or when the table
 * was altered meanwhile; VectorStoreSchemaError when the role may not exchange the table, or others rely
 * on it; what `embed` rejects with; the signal's reason.
 */
export async function reembed(
  connection: DatabaseConnection,
  target: ReembedTarget,
  embed: EmbedChunks,
  options: ReembedOptions,
): Promise<ReembedResult> {
  await assertNoLoadObstacle(connection.db);
  return withMaintenanceLock(connection, () =>
    // The transaction that holds the lock may last for hours; what is embedded is to stay at once.
    connection.withMaintenanceSession(session =>
      new Reembedding(connection, session, target, embed, options).run(),
    ),
  );
}

/**
 * Removes what an interrupted change of space left.
 *
 * @returns what that was about; `undefined` when there was none.
 * @throws ConflictError while one is under way.
 */
export function discardReembedding(
  connection: DatabaseConnection,
): Promise<EmbeddingSpace | undefined> {
  return withCleanUpLock(connection, async transaction => {
    const left = await NextTable.spaceOfLeft(transaction);
    await NextTable.drop(transaction);
    return left;
  });
}

/** What to do about a change of space that was begun; `undefined` when there is none. */
export async function describeUnfinishedReembedding(db: Database): Promise<string | undefined> {
  const left = await NextTable.spaceOfLeft(db);
  return (
    left &&
    `A change to ${describeSpace(left)} is under way, or was interrupted: ask-ai reembed goes on with it, ask-ai reembed --discard removes what it left.`
  );
}

class Reembedding {
  private embedded = 0;
  /** Documents of which a chunk could not be embedded, by name. */
  private readonly failed = new Map<string, DocumentKey>();
  private readonly report: (progress: ReembedProgress) => void;
  private chunksTotal = 0;
  private chunksDone = 0;

  constructor(
    private readonly connection: DatabaseConnection,
    private readonly session: Database,
    private readonly target: ReembedTarget,
    private readonly embed: EmbedChunks,
    private readonly options: ReembedOptions,
  ) {
    this.report = reportAtTimes(progress => options.onProgress?.(progress));
  }

  async run(): Promise<ReembedResult> {
    const { session, target, options } = this;
    const { signal } = options;
    const next = await session.transaction(transaction =>
      NextTable.open(transaction, target.space, target.definition),
    );
    this.chunksTotal = await countChunks(session);
    this.chunksDone = this.chunksTotal - (await next.countPending(session));
    await this.embedPending(next);
    // In a transaction, the build takes the memory that it needs, and a killed one leaves nothing.
    await session.transaction(async transaction => {
      await liftTimeLimits(transaction);
      await next.buildIndexes(this.connection, transaction, this.chunksTotal, {
        signal,
        onProgress: ({ share }) => this.tell('indexing', share),
      });
    });
    do {
      await this.embedPending(next);
    } while (
      !(await withLockRetries(
        work =>
          session.transaction(async transaction => {
            await liftTimeLimits(transaction);
            return work(transaction);
          }),
        transaction => this.finish(transaction, next),
        signal,
      ))
    );
    return { embedded: this.embedded, removed: [...this.failed.values()] };
  }

  /** Until a look at all rows finds none that could be embedded. */
  private async embedPending(next: NextTable): Promise<void> {
    const { batchSize: limit = DEFAULT_BATCH_SIZE } = this.options;
    let found: number;
    do {
      found = 0;
      let page: PendingRow[];
      let after = '';
      do {
        this.options.signal?.throwIfAborted();
        page = await next.pending(this.session, { after, limit });
        after = page.at(-1)?.id ?? after;
        const rows = page.filter(row => !this.failed.has(documentName(row)));
        found += rows.length;
        await this.embedRows(next, rows);
      } while (page.length === limit);
    } while (found > 0);
  }

  private async embedRows(next: NextTable, rows: PendingRow[]): Promise<void> {
    if (rows.length === 0) {
      return;
    }
    const vectors = await this.embed(rows.map(toDocumentChunk));
    this.options.signal?.throwIfAborted();
    const written: EmbeddedRow[] = [];
    rows.forEach((row, index) => {
      const vector = vectors[index];
      if (vector === undefined) {
        this.failed.set(documentName(row), { entityId: row.entityId, source: row.source });
      } else {
        written.push({ row, vector });
      }
    });
    await next.write(this.session, written);
    this.embedded += written.length;
    this.chunksDone = Math.min(this.chunksDone + rows.length, this.chunksTotal);
    this.tell('embedding');
  }

  /** @returns `false` when something was written since the last look. */
  private async finish(transaction: Database, next: NextTable): Promise<boolean> {
    const failed = [...this.failed.values()];
    // Writers wait while it looks, and readers only while the tables change places.
    await transaction.execute(sql`lock table ${embeddings} in share row exclusive mode`);
    if ((await next.countPending(transaction, failed)) > 0) {
      return false;
    }
    await next.removeGone(transaction, failed);
    await transaction.execute(sql`lock table ${embeddings} in access exclusive mode`);
    if (!(await next.hasColumnsOfLive(transaction))) {
      throw new ConflictError(
        'The table embeddings was altered while what it holds was embedded anew: try again.',
      );
    }
    await assertNoLoadObstacle(transaction);
    await transaction.delete(indexedDocuments).where(isOfDocuments(failed, indexedDocuments));
    await next.swapIn(transaction);
    await writeEmbeddingSpace(transaction, this.target.space);
    // It was measured with the other vectors.
    await transaction.delete(vectorIndexCalibration);
    return true;
  }

  private tell(phase: ReembedProgress['phase'], indexed?: number): void {
    const { chunksDone, chunksTotal } = this;
    this.report({ phase, chunksDone, chunksTotal, ...(indexed !== undefined && { indexed }) });
  }
}
