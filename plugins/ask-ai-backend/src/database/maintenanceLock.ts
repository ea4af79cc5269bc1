import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { ConflictError } from '../errors';
import { type CopyIn, type Database, type DatabaseConnection, selectRows } from './connection';
import { liftTimeLimits } from './timeLimits';

/** Of everything that rebuilds the table or its vector index; any number nobody else uses. */
const MAINTENANCE_LOCK_KEY = 0x61736b6d6e74; // 'askmnt' in ASCII

/** How often and how long to look whether somebody who cleans up has finished. */
const POLL_MS = 50;
const CLEAN_UP_MS = 5_000;

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
      session.transaction(
        async transaction => {
          await liftTimeLimits(transaction);
          await watchClient(transaction);
          await takeLock(transaction);
          await releaseSnapshot(transaction);
          return work(transaction, copyIn);
        },
        // Whatever the default is: each statement must see what others have committed by then.
        { isolationLevel: 'read committed' },
      ),
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

/**
 * Runs `work`, which takes a moment, in a transaction, while nobody loads the table or builds its vector
 * index. Whoever wants to begin with that waits for it, and is not refused.
 *
 * @throws ConflictError when somebody is at it.
 */
export async function withCleanUpLock<T>(
  connection: DatabaseConnection,
  work: (transaction: Database) => Promise<T>,
): Promise<T> {
  return connection.transaction(async transaction => {
    await assertNoMaintenance(connection, transaction);
    return work(transaction);
  });
}

/**
 * Makes sure that nobody loads the table or builds its vector index until the transaction ends.
 *
 * @throws ConflictError when somebody is at it.
 */
export async function assertNoMaintenance(
  connection: DatabaseConnection,
  transaction: Database,
): Promise<void> {
  const isFree =
    connection.kind === 'postgresql'
      ? await tryLock(transaction, sql`pg_try_advisory_xact_lock_shared`)
      : !heldHere.has(connection);
  if (!isFree) {
    throw underWay();
  }
}

async function takeLock(transaction: Database): Promise<void> {
  const deadline = performance.now() + CLEAN_UP_MS;
  while (!(await tryLock(transaction, sql`pg_try_advisory_xact_lock`))) {
    // Those who clean up share it.
    if ((await isUnderMaintenance(transaction)) || performance.now() > deadline) {
      throw underWay();
    }
    await delay(POLL_MS);
  }
}

async function tryLock(
  transaction: Database,
  tryAdvisoryLock: ReturnType<typeof sql>,
): Promise<boolean> {
  const [row] = await selectRows<{ taken: boolean }>(
    transaction,
    sql`select ${tryAdvisoryLock}(${MAINTENANCE_LOCK_KEY}::bigint) as taken`,
  );
  return row?.taken ?? false;
}

/** Whether a process is within `withMaintenanceLock`. Every role may see it, whoever holds the lock. */
export async function isUnderMaintenance(db: Database): Promise<boolean> {
  const [row] = await selectRows<{ held: boolean }>(
    db,
    sql`
      select exists (
        select from pg_locks
        where locktype = 'advisory' and granted and mode = 'ExclusiveLock'
          and database = (select oid from pg_database where datname = current_database())
          and (classid::bigint << 32 | objid::bigint) = ${MAINTENANCE_LOCK_KEY}::bigint and objsubid = 1
      ) as held`,
  );
  return row?.held ?? false;
}

/**
 * node-postgres leaves the portal of its last SELECT open, and with it a snapshot: a CREATE INDEX
 * CONCURRENTLY on another connection would wait for this transaction for ever. A statement without a
 * snapshot takes its place.
 */
async function releaseSnapshot(transaction: Database): Promise<void> {
  await transaction.execute(sql`set local statement_timeout = 0`);
}

/**
 * A server that looks from time to time whether its client is still there (new in PostgreSQL 14, and not
 * on every system) ends what a killed process began.
 */
async function watchClient(transaction: Database): Promise<void> {
  await transaction.execute(sql`
    do $$ begin
      perform set_config(name, '2s', true) from pg_settings where name = 'client_connection_check_interval';
    exception when others then
      null;
    end $$`);
}

function underWay(): ConflictError {
  return new ConflictError(
    'The index is being loaded or rebuilt already: wait until that has finished, then try again.',
  );
}
