import type { LoggerService } from '@backstage/backend-plugin-api';
import { sql } from 'drizzle-orm';
import { type DatabaseConnection, selectRows } from './connection';
import { driverError } from './databaseErrors';
import { clearDocuments } from './documentRows';
import { refreshKeywordStatistics } from './keywordStatistics';
import { cleanUpLoad } from './load/loadTable';
import type { VectorIndex } from './vectorIndex/VectorIndex';

/** Rows written one by one after which it is worth a look whether the table has grown by half. */
const ROWS_BETWEEN_LOOKS = 5_000;

/**
 * What a store does besides its calls: it makes the index as the configuration wants it, keeps
 * statistics and recall as the table grows, and gives space back. All of it ends when the store closes.
 */
export class StoreUpkeep {
  private readonly stopping = new AbortController();
  private work: Promise<unknown> = Promise.resolve();
  private rowsWritten = 0;
  private readonly warnings = new Set<string>();

  constructor(
    private readonly connection: DatabaseConnection,
    private readonly index: VectorIndex,
    private readonly logger: Pick<LoggerService, 'debug' | 'warn'>,
  ) {}

  /** Aborts when the store closes. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  /** Removes what killed processes left, and begins to rebuild an index that is not as it shall be. */
  start(): void {
    this.inBackground(async () => {
      await cleanUpLoad(this.connection);
      await this.index.ensure({ signal: this.signal });
    });
  }

  /** Waits for what is under way, after it was told to end. */
  async stop(reason: Error): Promise<void> {
    this.stopping.abort(reason);
    await this.work;
  }

  /** After many rows were written: brings up to date what ranks, plans and the index rely on. */
  async refresh({ isLoad = false } = {}): Promise<void> {
    await this.connection.transaction(refreshKeywordStatistics);
    await this.index.calibrateIfDue({ isLoad, signal: this.signal });
  }

  /** Rows were written one by one; the table may have grown by half since recall was measured. */
  noteWritten(rows: number): void {
    this.rowsWritten += rows;
    if (this.rowsWritten >= ROWS_BETWEEN_LOOKS) {
      this.rowsWritten = 0;
      this.inBackground(() => this.index.calibrateIfDue({ isLoad: false, signal: this.signal }));
    }
  }

  /** Removes everything, on a session without time limits: millions of rows take a while. */
  async clearAll(): Promise<void> {
    await this.connection.withMaintenanceSession(session =>
      session.transaction(transaction => clearDocuments(transaction)),
    );
    await this.vacuum();
  }

  /**
   * Gives the space of removed rows back, and spares searches the way through their remains in the
   * index. VACUUM skips what the role may not vacuum, with no error.
   */
  private async vacuum(): Promise<void> {
    const [row] = await selectRows<{ allowed: boolean }>(this.connection.db, MAY_VACUUM);
    if (!row?.allowed) {
      this.warnOnce(
        'The role may not vacuum the table embeddings: its space comes back when autovacuum gets to it. ' +
          'Make the role its owner, or, from PostgreSQL 17, GRANT MAINTAIN ON embeddings.',
      );
      return;
    }
    await this.connection.withMaintenanceSession(session =>
      session.execute(sql`vacuum embeddings`),
    );
  }

  readonly warnOnce = (message: string): void => {
    if (!this.warnings.has(message)) {
      this.warnings.add(message);
      this.logger.warn(message);
    }
  };

  private inBackground(work: () => Promise<void>): void {
    this.work = this.work.then(work).catch(error => {
      if (!this.signal.aborted) {
        this.logger.warn(`Upkeep of the vector store failed: ${driverError(error).message}`);
      }
    });
  }
}

/** The privilege MAINTAIN is new in PostgreSQL 17; has_table_privilege refuses unknown ones. */
const MAY_VACUUM = sql`
  select pg_has_role(relowner, 'USAGE') or (
    current_setting('server_version_num')::int >= 170000 and exists (
      select from aclexplode(relacl)
      where privilege_type = 'MAINTAIN' and (grantee = 0 or pg_has_role(grantee, 'USAGE'))
    )
  ) as allowed
  from pg_class where oid = 'embeddings'::regclass`;
