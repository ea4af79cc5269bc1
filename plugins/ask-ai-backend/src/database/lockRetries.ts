import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type { Database } from './connection';
import { driverError } from './databaseErrors';

/** While it waits for a lock on a table, everybody who comes after waits behind it: not for long. */
const LOCK_TIMEOUT_MS = 1_000;
const PAUSE_MS = 250;
const ATTEMPTS = 60;

/** `lock_not_available` */
const LOCK_TIMEOUT = '55P03';

/**
 * Carries out a short transaction that locks a table which others use. When one of them does not let go
 * of it in time, it steps back, lets those who wait pass, and tries again, for about a minute.
 *
 * @param transact - a transaction or a savepoint, which `work` is carried out in.
 */
export async function withLockRetries<T>(
  transact: <R>(work: (transaction: Database) => Promise<R>) => Promise<R>,
  work: (transaction: Database) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await transact(async transaction => {
        await transaction.execute(
          sql`select set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, true)`,
        );
        return work(transaction);
      });
    } catch (error) {
      if (driverError(error).code !== LOCK_TIMEOUT || attempt === ATTEMPTS) {
        throw error;
      }
      await delay(PAUSE_MS, undefined, { signal });
    }
  }
}
