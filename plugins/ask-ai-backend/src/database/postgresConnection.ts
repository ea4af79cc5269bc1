import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { LoggerService } from '@backstage/backend-plugin-api';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { PgDialect } from 'drizzle-orm/pg-core';
import { Client, type ClientBase, Pool, type PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { CopyIn, Database, DatabaseConnection } from './connection';
import { driverError } from './databaseErrors';
import {
  DEFAULT_MAX_CONNECTIONS,
  describeTarget,
  type PostgresConnectionOptions,
  poolConfig,
} from './poolConfig';
import { settleSearchPath } from './searchPath';
import { processIdOf } from './serverProcess';
import { DEADLOCK_DETECTED, SERIALIZATION_FAILURE } from './sqlStates';
import { liftSessionTimeLimits } from './timeLimits';

export type { PostgresConnectionOptions } from './poolConfig';

/**
 * Opens a pool for one role, which does all; the first connection is made by the first statement. See
 * `openRoleConnections` for several roles.
 */
export function openPostgresConnection(
  options: PostgresConnectionOptions,
  logger: Pick<LoggerService, 'warn' | 'debug'>,
): DatabaseConnection {
  const config = poolConfig(options);
  const prepare = settleSearchPath(options.schema);
  const pool = new Pool({ ...config, onConnect: prepare });
  // Without these listeners a dropped connection, idle or in use, ends the process.
  pool.on('error', error =>
    logger.debug(`An idle database connection was dropped: ${error.message}`),
  );
  pool.on('connect', client => {
    client.on('error', error =>
      logger.debug(`A database connection was dropped: ${error.message}`),
    );
  });
  const databases = new WeakMap<PoolClient, Database>();
  const databaseOf = (client: PoolClient): Database => {
    const database = databases.get(client) ?? (drizzle(client) as unknown as Database);
    databases.set(client, database);
    return database;
  };
  // Drizzle's own transaction makes a new session object each time, and on a pool it leaks the client
  // when BEGIN fails.
  const runTransaction = async <T>(work: (transaction: Database) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    const db = databaseOf(client);
    let isUsable = false;
    try {
      await db.execute(sql`begin`);
      const result = await work(db);
      await db.execute(sql`commit`);
      isUsable = true;
      return result;
    } catch (error) {
      isUsable = await rollBack(db, error);
      throw error;
    } finally {
      client.release(!isUsable);
    }
  };
  let closing: Promise<void> | undefined;

  const connection: DatabaseConnection = {
    kind: 'postgresql',
    get reader() {
      return connection;
    },
    get admin() {
      return connection;
    },
    maxConnections: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    description: describeTarget(options),
    pool: () => ({
      used: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    db: drizzle(pool) as unknown as Database,
    transaction: work => repeatAfterDeadlock(() => runTransaction(work)),
    withMaintenanceSession: async work => {
      const client = new Client({
        ...config,
        statement_timeout: 0,
        query_timeout: 0,
        lock_timeout: 0,
        idle_in_transaction_session_timeout: 0,
      });
      const session = drizzle(client) as unknown as Database;
      client.on('error', error =>
        logger.debug(`A database connection was dropped: ${error.message}`),
      );
      await client.connect();
      try {
        await prepare(client);
        await liftSessionTimeLimits(session, processIdOf(client));
        return await work(session, copyInto(client));
      } finally {
        await client.end();
      }
    },
    close: () => {
      closing ??= pool.end();
      return closing;
    },
  };
  return connection;
}

const BEATEN_BY_ANOTHER = [DEADLOCK_DETECTED, SERIALIZATION_FAILURE];
const ATTEMPTS = 5;

/** PostgreSQL ends one of the transactions that wait for each other: that one can begin again. */
async function repeatAfterDeadlock<T>(transact: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transact();
    } catch (error) {
      if (attempt === ATTEMPTS || !BEATEN_BY_ANOTHER.includes(driverError(error).code ?? '')) {
        throw error;
      }
    }
  }
}

/**
 * Ends a failed transaction.
 *
 * @returns whether the session is as good as new. After a time-out or a broken connection its state is
 * unknown: a statement may still be under way.
 */
async function rollBack(db: Database, error: unknown): Promise<boolean> {
  const cause = driverError(error);
  const wasRefused = 'severity' in cause && cause.severity === 'ERROR';
  if (!wasRefused && !('statusCode' in cause)) {
    return false;
  }
  try {
    await db.execute(sql`rollback`);
    return true;
  } catch {
    return false;
  }
}

function copyInto(client: ClientBase): CopyIn {
  const dialect = new PgDialect();
  return async (statement, data) => {
    const { sql: text } = dialect.sqlToQuery(statement);
    await pipeline(Readable.from(data), client.query(copyFrom(text)));
  };
}
