import type { LoggerService } from '@backstage/backend-plugin-api';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Client, Pool, type PoolConfig } from 'pg';
import type { Database, DatabaseConnection } from './connection';

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
}

/** Opens a pool; the first connection is made by the first statement. */
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
  let closing: Promise<void> | undefined;

  return {
    kind: 'postgresql',
    description: describeTarget(options),
    db: drizzle(pool) as unknown as Database,
    // Drizzle's transaction on a pool leaks the client when BEGIN fails, so the client is ours.
    transaction: async work => {
      const client = await pool.connect();
      let failed = true;
      try {
        const db = drizzle(client) as unknown as Database;
        const result = await db.transaction(transaction => work(transaction));
        failed = false;
        return result;
      } finally {
        // After a failure the session may be in the middle of something: it is not used again.
        client.release(failed);
      }
    },
    withMaintenanceSession: async work => {
      const client = new Client({ ...poolConfig(options), statement_timeout: 0, query_timeout: 0 });
      client.on('error', error =>
        logger.debug(`A database connection was dropped: ${error.message}`),
      );
      await client.connect();
      try {
        return await work(drizzle(client) as unknown as Database);
      } finally {
        await client.end();
      }
    },
    close: () => {
      closing ??= pool.end();
      return closing;
    },
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
    max: options.maxConnections ?? 10,
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

function describeTarget(options: PostgresConnectionOptions): string {
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
