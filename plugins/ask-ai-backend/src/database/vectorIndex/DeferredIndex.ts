import type { LoggerService } from '@backstage/backend-plugin-api';
import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { sql } from 'drizzle-orm';
import type { DatabaseConnection } from '../connection';
import { driverError } from '../databaseErrors';
import { namesBesideLive } from '../liveTable';
import { withLockRetries } from '../lockRetries';
import { withCleanUpLock } from '../maintenanceLock';
import { embeddings } from '../schema';
import { VECTOR_INDEX } from './indexState';
import type { BuildOptions } from './types';
import type { VectorIndex } from './VectorIndex';

/** So few rows are compared with in a moment: a store of that size needs no index meanwhile. */
const FEW_ROWS = 1_000;

/** Who can write the rows with the index in place does not wait longer for those who read. */
const PATIENCE_MS = 3_000;

/**
 * Spares a first fill the vector index, which takes five times as long to be written row by row as to be
 * built over all rows at the end (20,000 rows, measured).
 */
export class DeferredIndex {
  /** How the index was built that was dropped: its values may be those of `ask-ai reindex --tune`. */
  private dropped: VectorIndexDefinition | undefined;

  constructor(
    private readonly connection: DatabaseConnection,
    private readonly index: VectorIndex,
    private readonly logger: Pick<LoggerService, 'debug'>,
  ) {}

  /**
   * Drops the index of a table that holds few rows. Where that can't be done, the rows are written to the
   * index one by one.
   */
  async drop(signal: AbortSignal): Promise<void> {
    await this.index.refresh(0);
    const { live } = this.index;
    if (!live) {
      return;
    }
    try {
      if (await dropIndexOfFewRows(this.connection, signal)) {
        const { m, efConstruction, precision } = live;
        this.dropped = { m, efConstruction, precision };
      }
    } catch (error) {
      signal.throwIfAborted();
      this.logger.debug(
        `The vector index is written row by row, which takes longer: ${driverError(error).message}`,
      );
    }
    await this.index.refresh(0);
  }

  /** Builds the index that is missing since `drop`, in this process or in a killed one. */
  async build(options: BuildOptions): Promise<void> {
    await this.index.refresh(0);
    if (!this.index.live) {
      await this.index.build(this.dropped ?? {}, options);
      this.dropped = undefined;
    }
  }
}

/**
 *
 * @returns whether it was dropped.
 * @throws ConflictError while a load or a rebuild is under way.
 */
async function dropIndexOfFewRows(
  connection: DatabaseConnection,
  signal: AbortSignal,
): Promise<boolean> {
  return withLockRetries(
    work => withCleanUpLock(connection, work),
    async transaction => {
      const rows = await transaction
        .select({ id: embeddings.id })
        .from(embeddings)
        .limit(FEW_ROWS + 1);
      if (rows.length > FEW_ROWS) {
        return false;
      }
      const beside = await namesBesideLive(transaction);
      await transaction.execute(sql`drop index if exists ${beside(VECTOR_INDEX)}`);
      return true;
    },
    signal,
    PATIENCE_MS,
  );
}
