import { type SQL, sql } from 'drizzle-orm';
import type { Database, DatabaseConnection } from './connection';

/** `idle_session_timeout` is new in PostgreSQL 14, `transaction_timeout` in 17. */
const LIFT = (isLocal: boolean): SQL => sql`
  select set_config(name, '0', ${isLocal}) from pg_settings where name in (
    'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout',
    'transaction_timeout'
  )`;

/** Lifts the limits that the server, the database or the role sets, until the transaction ends. */
export async function liftTimeLimits(transaction: Database): Promise<void> {
  await transaction.execute(LIFT(true));
}

/**
 * Lifts the limits of a session: those that a connection asks for can't be 0, which node-postgres leaves
 * out. Behind a proxy that pools transactions the setting would stay with whichever session served it, so
 * nothing is done there.
 *
 * @param processId - what the server called itself as the connection was made; a proxy gives a number of
 * its own.
 */
export async function liftSessionTimeLimits(
  session: Database,
  processId: number | null,
): Promise<void> {
  await session.execute(sql`${LIFT(false)} and pg_backend_pid() = ${processId}::int`);
}

/** A transaction without time limits, on a connection of its own; also behind a proxy. */
export function withMaintenanceTransaction<T>(
  connection: DatabaseConnection,
  work: (transaction: Database) => Promise<T>,
): Promise<T> {
  return connection.withMaintenanceSession(session =>
    session.transaction(
      async transaction => {
        await liftTimeLimits(transaction);
        return work(transaction);
      },
      // Whatever the default is: what others have committed by now must be seen.
      { isolationLevel: 'read committed' },
    ),
  );
}
