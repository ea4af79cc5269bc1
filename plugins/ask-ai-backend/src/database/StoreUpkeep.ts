import type { LoggerService } from '@backstage/backend-plugin-api';
import { sql } from 'drizzle-orm';
import { type DatabaseConnection, selectRows } from './connection';
import { isEmpty } from './counts';
import { driverError } from './databaseErrors';
import { clearDocuments } from './documentRows';
import { refreshKeywordStatistics } from './keywordStatistics';
import { liveTableOid } from './liveTable';
import { cleanUpLoad, cleanUpLoadInTime } from './load/cleanUpLoad';
import { LOCK_NOT_AVAILABLE } from './sqlStates';
import { ensureTextSearchConfig } from './textSearch';
import { withMaintenanceTransaction } from './timeLimits';
import { DeferredIndex } from './vectorIndex/DeferredIndex';
import type { VectorIndex } from './vectorIndex/VectorIndex';

/** Rows written one by one after which it is worth a look whether the table has grown by half. */
const ROWS_BETWEEN_LOOKS = 5_000;

/** Somebody waits for the end of a load. */
const BRIEFLY = { sampleSize: 100, maxSeconds: 20 };

/** Longer than autovacuum needs to make room, which PostgreSQL ends after its `deadlock_timeout` of 1 s. */
const VACUUM_LOCK_TIMEOUT_MS = 5_000;

/**
 * What a store does besides its calls: it makes the index as the configuration wants it, keeps
 * statistics and recall as the table grows, and gives space back. All of it ends when the store closes.
 */
export class StoreUpkeep {
  private readonly stopping = new AbortController();
  private work: Promise<void> = Promise.resolve();
  private readying: Promise<void> = Promise.resolve();
  private cleaning: Promise<void> = Promise.resolve();
  private readonly deferred: DeferredIndex;
  private rowsWritten = 0;
  private readonly warnings = new Set<string>();

  constructor(
    private readonly connection: DatabaseConnection,
    private readonly index: VectorIndex,
    private readonly logger: Pick<LoggerService, 'debug' | 'info' | 'warn'>,
    /** By what the stored words shall be made; left out: as they are. */
    readonly textSearchConfig?: string,
  ) {
    this.deferred = new DeferredIndex(connection.admin, index, logger);
  }

  /** Aborts when the store closes. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  /** Removes what killed processes left, and makes the index as it shall be; see `ready`. */
  start(): void {
    this.readying = this.inBackground(async () => {
      await this.cleanUp();
      if (await isEmpty(this.connection.db)) {
        await this.index.ensure({ signal: this.signal });
        await this.ensureTextSearchConfig();
      }
    });
    this.inBackground(async () => {
      await this.index.ensure({ signal: this.signal });
      await this.ensureTextSearchConfig();
    });
  }

  /** Another process may be faster. */
  private async ensureTextSearchConfig(): Promise<void> {
    const { textSearchConfig, signal } = this;
    if (textSearchConfig === undefined) {
      return;
    }
    try {
      const options = { textSearchConfig, signal };
      if (await ensureTextSearchConfig(this.connection.admin, this.index, options)) {
        this.logger.info(`Texts are searched by the words of "${textSearchConfig}"`);
      }
    } catch (error) {
      signal.throwIfAborted();
      const { name, message } = driverError(error) as Error;
      this.logger[name === 'ConflictError' ? 'debug' : 'warn'](
        `Texts are not searched by the words of "${textSearchConfig}" yet, but as before: ${message}`,
      );
    }
  }

  /**
   * Resolves when what `start` does in a moment is done: a load at once after it would find the store
   * occupied. Resolves before an index of many rows is built.
   */
  ready(): Promise<void> {
    return this.readying;
  }

  /**
   * Removes what a failed load left: at once, or as soon as nobody keeps it from that. Meanwhile, all
   * that is written is noted for nobody. Never rejects.
   */
  async cleanUp(): Promise<void> {
    await this.told(async () => {
      if (!(await cleanUpLoad(this.connection.admin))) {
        const inTime = () => cleanUpLoadInTime(this.connection.admin, this.signal);
        this.cleaning = this.cleaning.then(() => this.told(inTime));
      }
    });
  }

  /** Waits for what is under way, after it was told to end. */
  async stop(reason: Error): Promise<void> {
    this.stopping.abort(reason);
    await Promise.all([this.work, this.cleaning]);
  }

  /**
   * After many rows were written: brings up to date what ranks, plans and the index rely on, and looks
   * whether recall is to be measured anew, after a load at once, else in the background. The rows are
   * there, so that a failure to measure is only told.
   */
  async refresh({ isLoad = false } = {}): Promise<void> {
    // Millions of rows take longer than a call may.
    await withMaintenanceTransaction(this.connection.admin, refreshKeywordStatistics);
    await this.inBackground(() => this.deferred.build({ signal: this.signal }));
    const calibrating = this.inBackground(() =>
      this.index.calibrateIfDue({ isLoad, ...BRIEFLY, signal: this.signal }),
    );
    // Whoever loads waits for the store as it will be; a run that indexed documents is over.
    if (isLoad) {
      await calibrating;
      this.signal.throwIfAborted();
    }
  }

  /** Many rows are about to be written, and `refresh` will be called. */
  async prepareForMany(): Promise<void> {
    await this.inBackground(() => this.deferred.drop(this.signal));
  }

  /** Rows were written one by one; the table may have grown by half since recall was measured. */
  noteWritten(rows: number): void {
    this.rowsWritten += rows;
    if (this.rowsWritten >= ROWS_BETWEEN_LOOKS) {
      this.rowsWritten = 0;
      this.inBackground(() =>
        this.index.calibrateIfDue({ isLoad: false, ...BRIEFLY, signal: this.signal }),
      );
    }
  }

  /** Removes everything, on a session without time limits: millions of rows take a while. */
  async clearAll(): Promise<void> {
    await withMaintenanceTransaction(this.connection, transaction => clearDocuments(transaction));
    await this.vacuum();
  }

  /**
   * Gives the space of removed rows back, and spares searches the way through their remains in the
   * index. VACUUM skips what the role may not vacuum, with no error, and would wait for an index to be
   * built.
   */
  private async vacuum(): Promise<void> {
    const [row] = await selectRows<{ allowed: boolean }>(this.connection.admin.db, MAY_VACUUM);
    if (!row?.allowed) {
      this.warnOnce(
        'The role may not vacuum the table embeddings: its space comes back when autovacuum gets to it. ' +
          'Make the role its owner, or, from PostgreSQL 17, GRANT MAINTAIN ON embeddings.',
      );
      return;
    }
    await this.connection.admin.withMaintenanceSession(async session => {
      await session.execute(
        sql`select set_config('lock_timeout', ${String(VACUUM_LOCK_TIMEOUT_MS)}, false)`,
      );
      try {
        await session.execute(sql`vacuum embeddings`);
      } catch (error) {
        if (driverError(error).code !== LOCK_NOT_AVAILABLE) {
          throw error;
        }
        this.logger.debug('The table embeddings is vacuumed later: its index is being built.');
      } finally {
        // The embedded database has one session for everything.
        await session.execute(sql`select set_config('lock_timeout', '0', false)`);
      }
    });
  }

  readonly warnOnce = (message: string): void => {
    if (!this.warnings.has(message)) {
      this.warnings.add(message);
      this.logger.warn(message);
    }
  };

  /** One after another. Never rejects. */
  private inBackground(work: () => Promise<void>): Promise<void> {
    this.work = this.work.then(() => this.told(work));
    return this.work;
  }

  private async told(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.signal.aborted) {
        this.logger.warn(`Upkeep of the vector store failed: ${driverError(error).message}`);
      }
    }
  }
}

/**
 * Of the owner of the table, the owner of the database, and whoever has the privilege MAINTAIN. It is
 * new in PostgreSQL 17, and has_table_privilege refuses unknown ones.
 */
const MAY_VACUUM = sql`
  select pg_has_role(relowner, 'USAGE') or pg_has_role(datdba, 'USAGE') or case
    when current_setting('server_version_num')::int >= 170000
    then has_table_privilege(pg_class.oid, 'MAINTAIN') else false
  end as allowed
  from pg_class, pg_database
  where pg_class.oid = ${liveTableOid} and datname = current_database()`;
