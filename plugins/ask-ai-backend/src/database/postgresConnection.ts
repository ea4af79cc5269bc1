import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { LoggerService } from '@backstage/backend-plugin-api';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { PgDialect } from 'drizzle-orm/pg-core';
import { Client, type ClientBase, Pool, type PoolClient, type PoolConfig } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { CopyIn, Database, DatabaseConnection } from './connection';
import { driverError } from './databaseErrors';
import { DEADLOCK_DETECTED, SERIALIZATION_FAILURE } from './sqlStates';
import type { VectorIndexOptions } from './vectorIndex/types';

/** How to reach a PostgreSQL server. All durations in milliseconds. */
export interface PostgresConnectionOptions {
  host?: string;
  /** Default 5432. */
  port?: number;
  database?: string;
  user?: string;
  /** A function is asked for every new connection: rotating credentials. */
  password?: string | (() => string | Promise<string>);
  /** Instead of host, port, database, user and password. */
  connectionString?: string;
  /** Where the tables lie; the default is the first schema of the role's search path. */
  schema?: string;
  /** `true` verifies the server's certificate against the system's authorities. */
  ssl?:
    | boolean
    | {
        ca?: string;
        cert?: string;
        key?: string;
        rejectUnauthorized?: boolean;
        servername?: string;
      };
  /** Makes and changes the tables, on connections of its own; left out: `user` does. */
  admin?: RoleCredentials;
  /** Searches, on connections of its own; left out: `user` does. */
  reader?: RoleCredentials;
  /** Default 10. */
  maxConnections?: number;
  /** Default 30,000. */
  idleTimeoutMillis?: number;
  /** Default 5,000. */
  connectionTimeoutMillis?: number;
  /** The server ends a statement after this time; default 10,000. */
  statementTimeoutMillis?: number;
  /** The client gives up after this time, which must be later; default 12,000. */
  queryTimeoutMillis?: number;
  /** How the vector index is built and searched. */
  index?: VectorIndexOptions;
  /** By what words are made of texts, such as `german`; left out: as it is, `english` at first. */
  textSearchConfig?: string;
}

/** How another role than `user` logs in. */
export interface RoleCredentials {
  user: string;
  /** As that of `user`. */
  password?: PostgresConnectionOptions['password'];
  /** Default: as for `user`. */
  maxConnections?: number;
}

const DEFAULT_MAX_CONNECTIONS = 10;

/**
 * Opens a pool for one role, which does all; the first connection is made by the first statement. See
 * `openRoleConnections` for several roles.
 */
export function openPostgresConnection(
  options: PostgresConnectionOptions,
  logger: Pick<LoggerService, 'warn' | 'debug'>,
): DatabaseConnection {
  const pool = new Pool(poolConfig(options));
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
    db: drizzle(pool) as unknown as Database,
    transaction: work => repeatAfterDeadlock(() => runTransaction(work)),
    withMaintenanceSession: async work => {
      const client = new Client({ ...poolConfig(options), statement_timeout: 0, query_timeout: 0 });
      client.on('error', error =>
        logger.debug(`A database connection was dropped: ${error.message}`),
      );
      await client.connect();
      try {
        return await work(drizzle(client) as unknown as Database, copyInto(client));
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

function poolConfig(options: PostgresConnectionOptions): PoolConfig {
  return {
    host: options.host,
    port: options.port,
    database: options.database,
    user: options.user,
    password: options.password,
    connectionString: options.connectionString,
    ssl: options.ssl,
    max: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    idleTimeoutMillis: options.idleTimeoutMillis ?? 30_000,
    connectionTimeoutMillis: options.connectionTimeoutMillis ?? 5_000,
    statement_timeout: options.statementTimeoutMillis ?? 10_000,
    query_timeout: options.queryTimeoutMillis ?? 12_000,
    keepAlive: true,
    application_name: 'ask-ai',
    options: options.schema === undefined ? undefined : searchPath(options.schema),
  };
}

/** Applied by the server before the first statement, at no round trip. */
function searchPath(schema: string): string {
  return `-c search_path=${quoteIdentifier(schema).replace(/[\\ ]/g, '\\$&')},public`;
}

function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function describeTarget(options: PostgresConnectionOptions): string {
  if (options.connectionString) {
    try {
      const url = new URL(options.connectionString);
      return `${url.hostname}:${url.port || 5432}${url.pathname}`;
    } catch {
      return 'the configured connection string';
    }
  }
  return `${options.host ?? 'localhost'}:${options.port ?? 5432}/${options.database ?? options.user ?? ''}`;
}
