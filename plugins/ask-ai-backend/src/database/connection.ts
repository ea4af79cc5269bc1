import type { SQL } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';

/** A Drizzle database of either driver: the code above it does not know which. */
export type Database = PgDatabase<PgQueryResultHKT>;

/**
 * Carries out `COPY table (columns) FROM STDIN WITH (FORMAT binary)` with all of the data, on the
 * session that it was handed out with.
 */
export type CopyIn = (statement: SQL, data: readonly Buffer[]) => Promise<void>;

/** A way to a database with the tables of `schema.ts`. */
export interface DatabaseConnection {
  readonly kind: 'postgresql' | 'embedded';
  /** For messages: `host:port/database` or the folder; no secret. */
  readonly description: string;
  /** Sessions that can be at work at once; 1 in the embedded database. */
  readonly maxConnections: number;
  /** Each statement on whichever session is free. */
  readonly db: Database;
  /** The same database with the rights of whoever only reads it; itself where one role does all. */
  readonly reader: DatabaseConnection;
  /** The same database with the rights of whoever changes its tables; itself where one role does all. */
  readonly admin: DatabaseConnection;
  /** How busy its connections are at the moment; left out: there is one, in this process. */
  readonly pool?: () => PoolFigures;
  /** Where several roles work on it: what the server calls them. */
  readonly roles?: DatabaseRoles;
  /**
   * All statements on one session that has no time limit: what session locks, migrations and index
   * builds need. On a server it is a connection of its own, outside the pool. Behind a proxy that pools
   * transactions the limits of the role hold, but in transactions that lift them: see `timeLimits.ts`.
   */
  withMaintenanceSession<T>(work: (session: Database, copyIn: CopyIn) => Promise<T>): Promise<T>;
  /**
   * Commits when `work` resolves, rolls back when it rejects. A session gets the same object each
   * time, so that what was prepared for it can be used again. After a deadlock `work` is called anew:
   * it does nothing but work on the database.
   */
  transaction<T>(work: (transaction: Database) => Promise<T>): Promise<T>;
  /** Waits for what is under way. Safe to call twice. */
  close(): Promise<void>;
}

/** Connections of a pool, and calls that wait for one. */
export interface PoolFigures {
  used: number;
  idle: number;
  waiting: number;
}

/** Who works on a database, besides its admin. */
export interface DatabaseRoles {
  writer?: string;
  reader?: string;
}

/** Rows of a statement that is not built by the query builder. */
export async function selectRows<Row extends Record<string, unknown>>(
  db: Database,
  statement: SQL,
): Promise<Row[]> {
  // Both drivers answer with `rows`; Drizzle's common type does not say so.
  const result = (await db.execute(statement)) as unknown as { rows: Row[] };
  return result.rows;
}
