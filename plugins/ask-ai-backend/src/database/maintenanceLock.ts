import { sql } from 'drizzle-orm';
import { ConflictError } from '../errors';
import { type CopyIn, type Database, type DatabaseConnection, selectRows } from './connection';

/** Of everything that rebuilds the table or its vector index; any number nobody else uses. */
const MAINTENANCE_LOCK_KEY = 0x61736b6d6e74; // 'askmnt' in ASCII

/** Databases of this process that are at it: an embedded one has no second session to hold a lock. */
const heldHere = new WeakSet<DatabaseConnection>();

/**
 * Runs `work` while no other process loads the table or builds its vector index.
 *
 * On a server, `work` gets one transaction without time limits, whose end releases the lock: it needs
 * no session state, so that proxies which pool transactions carry it, and a killed process leaves
 * nothing of it behind. The embedded database has one session: a transaction would keep everybody out,
 * so there each statement stands for itself.
 *
 * @throws ConflictError when somebody else is at it.
 */
export async function withMaintenanceLock<T>(
  connection: DatabaseConnection,
  work: (session: Database, copyIn: CopyIn) => Promise<T>,
): Promise<T> {
  if (connection.kind === 'postgresql') {
    return connection.withMaintenanceSession((session, copyIn) =>
      session.transaction(async transaction => {
        await liftTimeLimits(transaction);
        await takeLock(transaction);
        await releaseSnapshot(transaction);
        return work(transaction, copyIn);
      }),
    );
  }
  if (heldHere.has(connection)) {
    throw underWay();
  }
  heldHere.add(connection);
  try {
    return await connection.withMaintenanceSession(work);
  } finally {
    heldHere.delete(connection);
  }
}

async function takeLock(transaction: Database): Promise<void> {
  const [row] = await selectRows<{ taken: boolean }>(
    transaction,
    sql`select pg_try_advisory_xact_lock(${MAINTENANCE_LOCK_KEY}::bigint) as taken`,
  );
  if (!row?.taken) {
    throw underWay();
  }
}

/**
 * node-postgres leaves the portal of its last SELECT open, and with it a snapshot: a CREATE INDEX
 * CONCURRENTLY on another connection would wait for this transaction for ever. A statement without a
 * snapshot takes its place.
 */
async function releaseSnapshot(transaction: Database): Promise<void> {
  await transaction.execute(sql`set local statement_timeout = 0`);
}

/** `transaction_timeout` is new in PostgreSQL 17. */
async function liftTimeLimits(transaction: Database): Promise<void> {
  await transaction.execute(sql`
    select set_config(name, '0', true) from pg_settings
    where name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`);
}

function underWay(): ConflictError {
  return new ConflictError(
    'The index is being loaded or rebuilt already: wait until that has finished, then try again.',
  );
}
