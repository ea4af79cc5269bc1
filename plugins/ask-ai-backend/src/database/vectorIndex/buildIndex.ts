import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { type SQL, sql } from 'drizzle-orm';
import { type Database, type DatabaseConnection, selectRows } from '../connection';
import { driverError } from '../databaseErrors';
import { backendPid, cancellable } from './cancellable';
import { returnToLoginRole } from './loginRole';
import type { BuildOptions } from './types';

/** An index to build, and what decides how much memory that needs. */
export interface IndexToBuild extends VectorIndexDefinition {
  /** CREATE INDEX. */
  statement: SQL;
  dimensions: number;
  rows: number;
}

/** How often to look how far a build is. */
const POLL_MS = 500;

/** PostgreSQL's codes for memory and shared memory that can't be had. */
const OUT_OF_MEMORY = ['53100', '53200'];

/**
 * Builds an HNSW index. Its graph is built in memory as long as it fits into `maintenance_work_mem`,
 * and many times slower beyond, so that is raised to what the rows need. Workers share memory by way of
 * /dev/shm, which is 64 MB in a container unless told otherwise: where it does not suffice, the build
 * goes on without workers.
 *
 * @param session - a transaction, or a session that nobody else uses.
 * @param cleanUp - for a build outside of a transaction: removes what a failed attempt left.
 * @throws the signal's reason, after the build was cancelled.
 */
export async function buildIndex(
  connection: DatabaseConnection,
  session: Database,
  index: IndexToBuild,
  { signal, onProgress }: BuildOptions,
  cleanUp?: () => Promise<void>,
): Promise<void> {
  const isTransaction = cleanUp === undefined && connection.kind === 'postgresql';
  const build = async () => {
    const watch = await watchProgress(connection, session, onProgress);
    try {
      await cancellable(connection, session, signal, () =>
        isTransaction
          ? session.transaction(savepoint => savepoint.execute(index.statement))
          : session.execute(index.statement),
      );
    } catch (error) {
      await cleanUp?.();
      throw error;
    } finally {
      watch.stop();
    }
  };
  if (connection.kind === 'postgresql') {
    await raiseMemory(session, index, isTransaction);
  }
  try {
    await build();
  } catch (error) {
    if (!OUT_OF_MEMORY.includes(driverError(error).code ?? '')) {
      throw error;
    }
    await session.execute(
      sql`select set_config('max_parallel_maintenance_workers', '0', ${isTransaction})`,
    );
    await build();
  }
}

/**
 * What the graph needs, at most half of what PostgreSQL is told that it can cache
 * (`effective_cache_size`), and never less than what is set.
 */
async function raiseMemory(
  session: Database,
  { rows, dimensions, precision, m }: IndexToBuild,
  isTransaction: boolean,
): Promise<void> {
  // An element of the graph in pgvector's hnsw.h: the vector, 2 m links of 16 bytes on its lowest
  // layer, and about 300 bytes for the others and for bookkeeping.
  const bytesARow = dimensions * (precision === 'full' ? 4 : 2) + 2 * m * 16 + 300;
  const needed = Math.ceil(1.1 * rows * bytesARow);
  const setting = (name: string) => sql.raw(`pg_size_bytes(current_setting('${name}'))`);
  await session.execute(sql`
    select set_config('maintenance_work_mem', greatest(
      ${setting('maintenance_work_mem')},
      least(${needed}::bigint, ${setting('effective_cache_size')} / 2)
    ) / 1024 || 'kB', ${isTransaction})`);
}

/** Tells how far a build is. */
async function watchProgress(
  connection: DatabaseConnection,
  session: Database,
  onProgress: BuildOptions['onProgress'],
): Promise<{ stop(): void }> {
  // The embedded database has one session, which is busy building.
  if (!onProgress || connection.kind === 'embedded') {
    return { stop: () => {} };
  }
  const pid = await backendPid(session);
  let isStopped = false;
  const poll = () => {
    connection
      .transaction(transaction => readProgress(transaction, pid))
      .then(progress => !isStopped && progress && onProgress(progress))
      .catch(() => {});
  };
  const timer = setInterval(poll, POLL_MS);
  return {
    stop: () => {
      isStopped = true;
      clearInterval(timer);
    },
  };
}

async function readProgress(transaction: Database, pid: number) {
  await returnToLoginRole(transaction);
  const [row] = await selectRows<{ phase: string; done: string | null }>(
    transaction,
    sql`
      select phase, coalesce(
        blocks_done::float8 / nullif(blocks_total, 0), tuples_done::float8 / nullif(tuples_total, 0)
      ) as done
      from pg_stat_progress_create_index where pid = ${pid}::int`,
  );
  return row && { phase: row.phase, ...(row.done !== null && { share: Number(row.done) }) };
}
