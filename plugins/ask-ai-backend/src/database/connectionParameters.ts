import { ConfigurationError } from '../errors';

/** What remains of a connection string's parameters when target and TLS are read. */
interface Parameters {
  applicationName?: string;
  connectionTimeoutMillis?: number;
}

/** Read as part of the target, or put there by pg's reader. */
const OF_TARGET = ['dbname', 'db'];

/** Read here. */
const HONOURED = ['application_name', 'fallback_application_name', 'connect_timeout'];

/** Advice for other clients, which the strings of managed services hold. */
const FOR_OTHERS = ['pgbouncer', 'supa', 'connection_limit', 'pool_timeout'];

/** Values that ask for what happens anyway. */
const WITHOUT_EFFECT: Record<string, readonly string[]> = {
  target_session_attrs: ['any'],
  load_balance_hosts: ['disable'],
  sslnegotiation: ['postgres'],
  gssencmode: ['disable', 'prefer'],
  client_encoding: ['auto', 'UTF8', 'utf8', 'utf-8', 'UTF-8'],
  encoding: ['UTF8', 'utf8', 'utf-8', 'UTF-8'],
  channel_binding: ['disable', 'prefer'],
};

/** The keys beside the connection string that say what a parameter would. */
const KEYS: Record<string, string> = {
  schema: 'schema',
  currentSchema: 'schema',
  search_path: 'schema',
  statement_timeout: 'statementTimeoutMillis',
  query_timeout: 'queryTimeoutMillis',
  lock_timeout: 'lockTimeoutMillis',
  idle_in_transaction_session_timeout: 'idleInTransactionTimeoutMillis',
  max: 'maxConnections',
  min: 'minConnections',
  keepalives: 'keepAlive',
};

/**
 * @param isVerified - whether the certificate of the server is.
 * @throws ConfigurationError for a parameter that would have no effect, which it names.
 */
export function readParameters(
  parameters: Readonly<Record<string, unknown>>,
  isVerified: boolean,
): Parameters {
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  for (const [name, value] of given) {
    assertEffect(name, value, isVerified);
  }
  const { application_name, fallback_application_name, connect_timeout } =
    Object.fromEntries(given);
  const applicationName = application_name || fallback_application_name;
  return {
    ...(applicationName && { applicationName }),
    ...(connect_timeout && { connectionTimeoutMillis: millisOf(connect_timeout) }),
  };
}

function assertEffect(name: string, value: string, isVerified: boolean): void {
  const isTaken =
    [...OF_TARGET, ...HONOURED, ...FOR_OTHERS].includes(name) ||
    WITHOUT_EFFECT[name]?.includes(value) ||
    // It protects against somebody in between, as the certificate does.
    (name === 'channel_binding' && value === 'require' && isVerified);
  if (isTaken) {
    return;
  }
  if (!/^[a-z_]+$/i.test(name)) {
    throw unreadable('a URL whose parameters are name=value, joined by &');
  }
  const key = KEYS[name];
  throw unreadable(
    name === 'channel_binding'
      ? 'a URL with sslmode=verify-full beside channel_binding'
      : `a URL without this value of ${name}, which would have no effect here${key ? `: set ${key} beside connectionString` : ''}`,
  );
}

function millisOf(seconds: string): number {
  if (!/^\d{1,5}$/.test(seconds)) {
    throw unreadable('a URL whose connect_timeout is a number of seconds');
  }
  return Number(seconds) * 1_000;
}

/** It repeats nothing of a string that may hold a password. */
export function unreadable(expected: string): ConfigurationError {
  return new ConfigurationError([`Expected the connection string to be ${expected}`]);
}
