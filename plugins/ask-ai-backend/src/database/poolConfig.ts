import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { Client, type PoolConfig } from 'pg';
import { type ConnectionTarget, parseConnectionString } from './connectionString';
import type { PostgresCredentials } from './credentials/PostgresCredentials';
import { passwordOf } from './credentials/passwordOf';
import type { TlsOptions } from './tlsOptions';
import type { VectorIndexOptions } from './vectorIndex/types';

/**
 * How to reach a PostgreSQL server. All durations in milliseconds, but for the lifetime. What is given
 * beside a connection string goes before what the string says.
 */
export interface PostgresConnectionOptions extends PostgresCredentials {
  host?: string;
  /** Default 5432. */
  port?: number;
  database?: string;
  /** Instead of host, port, database, user and password. */
  connectionString?: string;
  /** Where the tables lie; the default is the first schema of the role's search path. */
  schema?: string;
  /** The role to work as, where it is another than the one that logs in. */
  role?: string;
  /** `true` verifies the server's certificate against the system's authorities. */
  ssl?: boolean | TlsOptions;
  /** Makes and changes the tables, on connections of its own; left out: `user` does. */
  admin?: RoleCredentials;
  /** Searches, on connections of its own; left out: `user` does. */
  reader?: RoleCredentials;
  /** Makes the socket, as the connector of Cloud SQL does. */
  stream?: () => Duplex;
  /** Default 10. */
  maxConnections?: number;
  /** So many stay open when unused. Default 0. */
  minConnections?: number;
  /** Default 30,000. */
  idleTimeoutMillis?: number;
  /** Default 5,000. */
  connectionTimeoutMillis?: number;
  /** The server ends a statement after this time; default 10,000. */
  statementTimeoutMillis?: number;
  /** The client gives up after this time, which must be later; default 12,000. */
  queryTimeoutMillis?: number;
  /** The server ends a statement that waits so long for a lock; left out: the server's setting. */
  lockTimeoutMillis?: number;
  /** The server ends a session whose transaction does nothing for so long; left out: its setting. */
  idleInTransactionTimeoutMillis?: number;
  /** A connection is replaced after so many seconds; 0: never. Default 3,600. */
  maxLifetimeSeconds?: number;
  /** Whether an idle connection is kept alive through firewalls. Default `true`. */
  keepAlive?: boolean;
  /** What `pg_stat_activity` shows. Default `ask-ai`. */
  applicationName?: string;
  /** How the vector index is built and searched. */
  index?: VectorIndexOptions;
  /** By what words are made of texts, such as `german`; left out: as it is, `english` at first. */
  textSearchConfig?: string;
}

/** How another role than `user` logs in; without a password, by the `auth` of the other options. */
export interface RoleCredentials extends PostgresCredentials {
  user: string;
  /** Default: as for `user`. */
  maxConnections?: number;
}

export const DEFAULT_MAX_CONNECTIONS = 10;

/** Half of the least that load balancers of the clouds drop idle connections after: 60 s. */
const KEEP_ALIVE_DELAY_MS = 30_000;

/** What pg makes a pool or a connection of. */
export function poolConfig(options: PostgresConnectionOptions): PoolConfig {
  const target = targetOf(options);
  return {
    host: target.host,
    port: target.port,
    database: target.database,
    user: target.user,
    password: passwordOf({ ...options, password: target.password }, target),
    ssl: copyOf(target.ssl),
    stream: options.stream,
    max: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    min: options.minConnections ?? 0,
    idleTimeoutMillis: options.idleTimeoutMillis ?? 30_000,
    connectionTimeoutMillis:
      options.connectionTimeoutMillis ?? target.connectionTimeoutMillis ?? 5_000,
    maxLifetimeSeconds: options.maxLifetimeSeconds ?? 3_600,
    statement_timeout: options.statementTimeoutMillis ?? 10_000,
    query_timeout: options.queryTimeoutMillis ?? 12_000,
    lock_timeout: options.lockTimeoutMillis,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMillis,
    keepAlive: options.keepAlive ?? true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    application_name: options.applicationName ?? target.applicationName ?? 'ask-ai',
    options: serverOptions(options, target.options),
  };
}

/** For messages: `host:port/database`; nothing secret. */
export function describeTarget(options: PostgresConnectionOptions): string {
  const { host = 'localhost', port = 5_432, database, user } = targetOf(options);
  return `${host}:${port}/${database ?? user ?? ''}`;
}

/**
 * Tells the tables apart that configurations lead to, as the driver reads these, and gives nothing of them
 * away. Without `schema` the search path of the role decides, so the role counts as well.
 *
 * @returns 43 characters of the base64url alphabet, the same for equal targets in every process;
 *   `undefined` where `stream` alone knows what it leads to.
 * @throws Error when the connection string can't be read.
 */
export function identifyTarget(options: PostgresConnectionOptions): string | undefined {
  if (options.stream) {
    return undefined;
  }
  const config = poolConfig(options);
  const { host, port, database, user } = new Client(config);
  const target = [host, port, database, config.options, options.schema === undefined && user];
  return createHash('sha256').update(JSON.stringify(target)).digest('base64url');
}

/** Who logs in; `undefined` where the driver decides. */
export function loginUser(options: PostgresConnectionOptions): string | undefined {
  return targetOf(options).user;
}

function targetOf(options: PostgresConnectionOptions): ConnectionTarget & {
  password?: PostgresCredentials['password'];
} {
  const { host, port, database, user, password, ssl, connectionString } = options;
  const given = Object.entries({ host, port, database, user, password, ssl });
  return {
    ...(connectionString && parseConnectionString(connectionString)),
    ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
  };
}

/** pg hides the key in the object that it gets, and compares the certificate with its host at any rate. */
function copyOf(ssl: boolean | TlsOptions | undefined) {
  if (typeof ssl !== 'object') {
    return ssl;
  }
  const { servername } = ssl;
  return servername === undefined
    ? { ...ssl }
    : {
        checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
          checkServerIdentity(servername, certificate),
        ...ssl,
      };
}

/** Applied by the server before the first statement, at no round trip. */
function serverOptions({ schema, role }: PostgresConnectionOptions, given?: string) {
  const options = [
    given,
    schema === undefined
      ? undefined
      : `-c search_path=${optionValue(quoteIdentifier(schema))},public`,
    role === undefined ? undefined : `-c role=${optionValue(role)}`,
  ].filter(option => option !== undefined);
  return options.length > 0 ? options.join(' ') : undefined;
}

function optionValue(text: string): string {
  return text.replace(/[\\ ]/g, '\\$&');
}

function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
