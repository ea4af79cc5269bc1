import { VectorStoreSchemaError, VectorStoreUnavailableError } from '../errors';
import { isStreamError } from '../lib/streamBatches';

/** What the fields of an error of node-postgres, PGlite or a socket tell. */
interface DriverError extends Error {
  code?: string;
  hint?: string;
}

type Kind = 'unavailable' | 'schema';

/**
 * What a SQLSTATE or a socket error means to us, by code or by class (its first two characters).
 * Source: PostgreSQL, appendix "Error Codes"; Node.js, "Common system errors".
 */
const MEANING: Record<string, { kind: Kind; remedy: string }> = {
  ECONNREFUSED: {
    kind: 'unavailable',
    remedy: 'Check that the server runs and that host and port are right.',
  },
  ECONNRESET: { kind: 'unavailable', remedy: 'The connection broke; the call can be repeated.' },
  EPIPE: { kind: 'unavailable', remedy: 'The connection broke; the call can be repeated.' },
  ETIMEDOUT: {
    kind: 'unavailable',
    remedy: 'Check the network between the backend and the server.',
  },
  EHOSTUNREACH: {
    kind: 'unavailable',
    remedy: 'Check the network between the backend and the server.',
  },
  ENOTFOUND: { kind: 'unavailable', remedy: 'Check the host name.' },
  EAI_AGAIN: { kind: 'unavailable', remedy: 'Check the host name and the name service.' },
  '08P01': {
    kind: 'unavailable',
    remedy:
      'Behind PgBouncer, set ignore_startup_parameters = statement_timeout,options in its configuration.',
  },
  '08': { kind: 'unavailable', remedy: 'The connection broke; the call can be repeated.' },
  '28': { kind: 'unavailable', remedy: 'Check user and password.' },
  '3D000': { kind: 'unavailable', remedy: 'Create the database, or correct its name.' },
  '40': {
    kind: 'unavailable',
    remedy: 'Another transaction was in the way; the call can be repeated.',
  },
  '53': {
    kind: 'unavailable',
    remedy: 'The server is out of a resource (connections, memory or disk).',
  },
  '55P03': {
    kind: 'unavailable',
    remedy: 'Another transaction holds a lock; the call can be repeated.',
  },
  '57': {
    kind: 'unavailable',
    remedy: 'The server ended the statement or is shutting down; the call can be repeated.',
  },
  '58': { kind: 'unavailable', remedy: 'The server has a system error; see its log.' },
  '42501': { kind: 'schema', remedy: 'Grant the role the missing right.' },
  '42P01': { kind: 'schema', remedy: 'Run the migrations: npm run db:migrate.' },
  '42P07': {
    kind: 'schema',
    remedy:
      'Tables of that name are there that these migrations did not make: use a database or schema of its own.',
  },
  '42703': { kind: 'schema', remedy: 'Run the migrations: npm run db:migrate.' },
  '42704': {
    kind: 'schema',
    remedy:
      'Enable pgvector (CREATE EXTENSION vector;) and run the migrations: npm run db:migrate.',
  },
  '42883': {
    kind: 'schema',
    remedy:
      'Enable pgvector (CREATE EXTENSION vector;) and run the migrations: npm run db:migrate.',
  },
};

/** Messages of node-postgres that carry no code. */
const DROPPED_CONNECTION =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end/;

/** The driver's own error: Drizzle wraps it in one whose message holds the statement and its values. */
export function driverError(error: unknown): DriverError {
  let current = error;
  while (
    current instanceof Error &&
    current.constructor.name === 'DrizzleQueryError' &&
    current.cause
  ) {
    current = current.cause;
  }
  return current instanceof Error ? current : new Error(String(current));
}

/**
 * The plugin's error for one of the database: says what failed and what to do, and keeps the
 * driver's error as cause. Errors that are the plugin's own already pass.
 *
 * @param action - what was being done, as in "search the vector store".
 * @param where - `host:port/database` or the folder.
 */
export function translateDatabaseError(error: unknown, action: string, where: string): Error {
  const cause = driverError(error);
  if ('statusCode' in cause) {
    return cause;
  }
  if (isStreamError(error)) {
    return error;
  }
  const code = typeof cause.code === 'string' ? cause.code : '';
  const meaning = MEANING[code] ?? (code.length === 5 ? MEANING[code.slice(0, 2)] : undefined);
  if (meaning?.kind === 'schema') {
    const reason = cause.hint
      ? `${cause.message}. ${cause.hint}`
      : `${cause.message}. ${meaning.remedy}`;
    return new VectorStoreSchemaError(`Could not ${action} at ${where}: ${reason}`, { cause });
  }
  if (meaning || DROPPED_CONNECTION.test(cause.message)) {
    const remedy =
      meaning?.remedy ?? 'The connection broke or timed out; the call can be repeated.';
    const reason = code || cause.message;
    return new VectorStoreUnavailableError(
      `Could not ${action} at ${where} (${reason}). ${remedy}`,
      { cause },
    );
  }
  // What has no code is not the database's, but a signal's reason or a fault of the program.
  return code !== ''
    ? new Error(`Could not ${action} at ${where}: the database refused (${code}).`, { cause })
    : cause;
}
