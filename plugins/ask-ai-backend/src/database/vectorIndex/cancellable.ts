import { sql } from 'drizzle-orm';
import { type Database, type DatabaseConnection, selectRows } from '../connection';
import { returnToLoginRole } from './loginRole';

/** A cancel that comes between two statements is lost, so it is repeated after this time. */
const REPEAT_MS = 500;

/**
 * Carries out statements of a session, and cancels the one under way when the signal says so. No cancel
 * is on its way when it returns: the session can be used again.
 *
 * The embedded database has one session, which can't be told anything while it is busy.
 *
 * @throws the signal's reason.
 */
export async function cancellable<T>(
  connection: DatabaseConnection,
  session: Database,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  if (!signal || connection.kind === 'embedded') {
    return work();
  }
  const pid = await backendPid(session);
  signal.throwIfAborted();
  let cancels: Promise<unknown> = Promise.resolve();
  const cancel = () => {
    cancels = cancels
      .then(() =>
        connection.transaction(async transaction => {
          await returnToLoginRole(transaction);
          await transaction.execute(sql`select pg_cancel_backend(${pid}::int)`);
        }),
      )
      .catch(() => {});
  };
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    cancel();
    timer = setInterval(cancel, REPEAT_MS);
  };
  signal.addEventListener('abort', begin);
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', begin);
    clearInterval(timer);
    await cancels;
  }
}

/** The server's process that serves a session. */
export async function backendPid(session: Database): Promise<number> {
  const [row] = await selectRows<{ pid: number }>(session, sql`select pg_backend_pid() as pid`);
  return Number(row?.pid);
}
