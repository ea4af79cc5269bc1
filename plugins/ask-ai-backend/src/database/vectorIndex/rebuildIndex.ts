import { setTimeout as delay } from 'node:timers/promises';
import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { sql } from 'drizzle-orm';
import { VectorStoreSchemaError } from '../../errors';
import { type Database, type DatabaseConnection, selectRows } from '../connection';
import { liveTableOid, namesBesideLive } from '../liveTable';
import { withLockRetries } from '../lockRetries';
import { withMaintenanceLock } from '../maintenanceLock';
import { embeddingsTable } from '../schema';
import { buildIndex } from './buildIndex';
import { cancellable } from './cancellable';
import { NEW_VECTOR_INDEX, OLD_VECTOR_INDEX, readVectorIndexes, VECTOR_INDEX } from './indexState';
import { declaredIndexes } from './indexStatements';
import { returnToLoginRole } from './loginRole';
import type { BuildOptions } from './types';

/** Replicas look at the index again after this time; see `PgVectorStore`. */
export const STATE_LIFETIME_MS = 5_000;

/** After a failure or a signal, nobody waits longer for a lock; the next start removes what stays. */
const CLEAN_UP_TIMEOUT_MS = 10_000;

/**
 * Builds the vector index anew beside the old one, which serves until the new one is valid, and then
 * takes its name. Nobody waits: neither readers nor writers. A killed process leaves an index that is
 * not used; the next rebuild or start removes it.
 *
 * @throws ConflictError while a load or another rebuild is under way; the signal's reason.
 */
export function rebuildIndex(
  connection: DatabaseConnection,
  definition: VectorIndexDefinition,
  size: { dimensions: number; rows: number },
  options: BuildOptions = {},
): Promise<void> {
  return withMaintenanceLock(connection, () =>
    // CREATE INDEX CONCURRENTLY is refused in a transaction, such as the one that holds the lock.
    connection.withMaintenanceSession(async session => {
      await dropLeftovers(connection, session, options.signal);
      const before = (await readVectorIndexes(session)).find(({ name }) => name === VECTOR_INDEX);
      try {
        await buildBeside(connection, session, { ...definition, ...size }, options);
        await withLockRetries(
          work => session.transaction(work),
          transaction => exchangeNames(transaction, before !== undefined),
          options.signal,
        );
      } catch (error) {
        await dropInTime(connection, session, NEW_VECTOR_INDEX);
        throw error;
      }
      if (before) {
        if (before.isValid && before.precision !== definition.precision && size.rows > 0) {
          await letReplicasLearn(connection, options.signal);
        }
        await (options.signal?.aborted
          ? dropInTime(connection, session, OLD_VECTOR_INDEX)
          : drop(connection, session, OLD_VECTOR_INDEX, options.signal));
      }
    }),
  );
}

async function buildBeside(
  connection: DatabaseConnection,
  session: Database,
  index: VectorIndexDefinition & { dimensions: number; rows: number },
  options: BuildOptions,
): Promise<void> {
  const table = embeddingsTable('embeddings', index.dimensions, index);
  const declared = declaredIndexes(table).find(({ name }) => name === VECTOR_INDEX);
  if (!declared) {
    throw new TypeError(`The schema declares no ${VECTOR_INDEX}.`);
  }
  const statement = declared.create({
    name: NEW_VECTOR_INDEX,
    concurrently: connection.kind === 'postgresql',
  });
  await buildIndex(connection, session, { ...index, statement }, options, () =>
    dropInTime(connection, session, NEW_VECTOR_INDEX),
  );
  await assertValid(session);
}

/** Replicas that do not know of the exchange yet still search by the old expression. */
async function letReplicasLearn(
  connection: DatabaseConnection,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (connection.kind === 'postgresql') {
    await delay(2 * STATE_LIFETIME_MS, undefined, { signal }).catch(() => {});
  }
}

/** Removes indexes that a killed process was building or about to remove, unless one is at it. */
export async function dropIndexLeftovers(
  connection: DatabaseConnection,
  signal?: AbortSignal,
): Promise<void> {
  await withMaintenanceLock(connection, () =>
    connection.withMaintenanceSession(session => dropLeftovers(connection, session, signal)),
  );
}

/** Call it with the maintenance lock: whoever builds one of these indexes then is an orphan. */
async function dropLeftovers(
  connection: DatabaseConnection,
  session: Database,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (connection.kind === 'postgresql') {
    await session.transaction(endOrphans);
  }
  for (const { name } of await readVectorIndexes(session)) {
    if (name === NEW_VECTOR_INDEX || name === OLD_VECTOR_INDEX) {
      await drop(connection, session, name, signal);
    }
  }
}

/**
 * PostgreSQL does not notice that the process is gone which it builds an index for: it would build for
 * as long as it takes, with everybody waiting who wants to remove the index.
 */
async function endOrphans(transaction: Database): Promise<void> {
  // Who logged in may not see the schema.
  const [live] = await selectRows<{ oid: number }>(transaction, sql`select ${liveTableOid} as oid`);
  await returnToLoginRole(transaction);
  await transaction.execute(sql`
    select pg_terminate_backend(p.pid)
    from pg_stat_progress_create_index p
      join pg_class c on c.oid = p.index_relid
      join pg_stat_activity a on a.pid = p.pid
    where p.relid = ${live?.oid}::oid and c.relname = ${NEW_VECTOR_INDEX}
      and a.usename = session_user`);
}

async function drop(
  connection: DatabaseConnection,
  session: Database,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  const concurrently = sql.raw(connection.kind === 'postgresql' ? 'concurrently' : '');
  const beside = await namesBesideLive(session);
  await cancellable(connection, session, signal, () =>
    session.execute(sql`drop index ${concurrently} if exists ${beside(name)}`),
  );
}

/** Where others hold locks for long, or the session is broken, the index stays: it is not used. */
async function dropInTime(
  connection: DatabaseConnection,
  session: Database,
  name: string,
): Promise<void> {
  const limitTime = (milliseconds: number) =>
    session.execute(sql`select set_config('statement_timeout', ${String(milliseconds)}, false)`);
  try {
    await limitTime(CLEAN_UP_TIMEOUT_MS);
    await drop(connection, session, name).finally(() => limitTime(0));
  } catch {
    // What this follows, a failure or a signal, is what is to be told.
  }
}

/** CREATE INDEX CONCURRENTLY may end with an index that is not valid. */
async function assertValid(session: Database): Promise<void> {
  const built = (await readVectorIndexes(session)).find(({ name }) => name === NEW_VECTOR_INDEX);
  if (!built?.isValid) {
    throw new VectorStoreSchemaError(
      'The new vector index is not valid, so the old one goes on serving: rebuild it again (ask-ai reindex --tune).',
    );
  }
}

async function exchangeNames(transaction: Database, hasOld: boolean): Promise<void> {
  const beside = await namesBesideLive(transaction);
  const rename = (from: string, to: string) =>
    transaction.execute(sql`alter index ${beside(from)} rename to ${sql.identifier(to)}`);
  if (hasOld) {
    await rename(VECTOR_INDEX, OLD_VECTOR_INDEX);
  }
  await rename(NEW_VECTOR_INDEX, VECTOR_INDEX);
}
