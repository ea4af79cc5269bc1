import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { type Database, type DatabaseConnection, selectRows } from '../connection';
import { driverError } from '../databaseErrors';
import { liveTableOid } from '../liveTable';
import { setLockTimeout } from '../lockRetries';
import { withCleanUpLock } from '../maintenanceLock';
import { LOCK_NOT_AVAILABLE } from '../sqlStates';
import { endCapture, isCapturing } from './captureChanges';
import { StagingTable } from './stagingTable';

/** Between attempts to remove what somebody still uses. */
const PAUSE_MS = 5_000;

/**
 * Removes what a failed or killed load left. It does not wait: neither for a load that is under way, nor
 * longer than a moment for those who read the table.
 *
 * @returns whether nothing is left that this role may remove.
 */
export async function cleanUpLoad(connection: DatabaseConnection): Promise<boolean> {
  const { db } = connection;
  if (!(await isLeft(db)) || !(await isOwner(db))) {
    return true;
  }
  try {
    await withCleanUpLock(connection, async transaction => {
      await setLockTimeout(transaction);
      await endCapture(transaction);
      await StagingTable.drop(transaction);
    });
    return true;
  } catch (error) {
    if (
      (error as Error).name === 'ConflictError' ||
      driverError(error).code === LOCK_NOT_AVAILABLE
    ) {
      return false;
    }
    throw error;
  }
}

/** Removes it as soon as nobody keeps it from that, or until the signal aborts. */
export async function cleanUpLoadInTime(
  connection: DatabaseConnection,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && !(await cleanUpLoad(connection))) {
    // The process may end meanwhile.
    await delay(PAUSE_MS, undefined, { signal, ref: false }).catch(() => {});
  }
}

async function isLeft(db: Database): Promise<boolean> {
  return (await isCapturing(db)) || (await StagingTable.isLeft(db));
}

/** Others write rows, and leave this to whoever loads. */
async function isOwner(db: Database): Promise<boolean> {
  const [row] = await selectRows<{ owner: boolean }>(
    db,
    sql`select pg_has_role(relowner, 'USAGE') as owner from pg_class where oid = ${liveTableOid}`,
  );
  return row?.owner ?? false;
}
