import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type { Database } from './connection';
import { driverError } from './databaseErrors';
import { DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE } from './sqlStates';

/** While it waits for a lock on a table, everybody who comes after waits behind it: not for long. */
const LOCK_TIMEOUT_MS = 1_000;

/** Between attempts, longer each time, so that the others get on. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;

/** As long as a backup of a large database may hold its tables. */
const PATIENCE_MS = 30 * 60_000;

/**
 * Carries out a short transaction that locks a table which others use. When one of them does not let go
 * of it in time, it steps back, lets those who wait pass, and tries again, for half an hour.
 *
 * @param transact - a transaction or a savepoint, which `work` is carried out in.
 * @param patienceMs - for whom half an hour is too long.
 * @throws the signal's reason.
 */
export async function withLockRetries<T>(
  transact: <R>(work: (transaction: Database) => Promise<R>) => Promise<R>,
  work: (transaction: Database) => Promise<T>,
  signal?: AbortSignal,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    signal?.throwIfAborted();
    try {
      return await transact(async transaction => {
        await setLockTimeout(transaction);
        return work(transaction);
      });
    } catch (error) {
      const code = driverError(error).code ?? '';
      if (![LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED].includes(code) || performance.now() > deadline) {
        throw error;
      }
      // It rejects with an error of its own when the signal aborts; the loop looks at the signal.
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }
}

/** Until the transaction ends. */
export async function setLockTimeout(transaction: Database): Promise<void> {
  await transaction.execute(
    sql`select set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, true)`,
  );
}
