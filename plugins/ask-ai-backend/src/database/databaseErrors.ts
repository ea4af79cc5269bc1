import { InvalidVectorError, VectorStoreSchemaError, VectorStoreUnavailableError } from '../errors';
import { isStreamError } from '../lib/streamBatches';
import { type FaultKind, faultOf } from './sqlStates';
import { tlsRemedy } from './tlsErrors';

/** What the fields of an error of node-postgres, PGlite or a socket tell. */
interface DriverError extends Error {
  code?: string;
  hint?: string;
}

const OUTAGE: Record<Exclude<FaultKind, 'schema' | 'caller'>, 'none' | 'brief' | 'lasting'> = {
  retryable: 'none',
  unavailable: 'brief',
  refusing: 'lasting',
};

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
  const failed = `Could not ${action} at ${where}`;
  const remedyOfTls = tlsRemedy(cause);
  if (remedyOfTls) {
    const message = `${failed} (${code || 'TLS'}). ${remedyOfTls}`;
    return new VectorStoreUnavailableError(message, { cause, outage: 'lasting' });
  }
  const fault = faultOf(cause);
  if (fault?.kind === 'schema') {
    const reason = `${cause.message}. ${cause.hint ? cause.hint : fault.remedy}`;
    return new VectorStoreSchemaError(`${failed}: ${reason}`, { cause });
  }
  if (fault?.kind === 'caller') {
    return new InvalidVectorError(`${failed} (${code}). ${fault.remedy}`, undefined, { cause });
  }
  if (fault) {
    const message = `${failed} (${code || cause.message}). ${fault.remedy}`;
    return new VectorStoreUnavailableError(message, { cause, outage: OUTAGE[fault.kind] });
  }
  // What has no code is not the database's, but a signal's reason or a fault of the program.
  return code !== ''
    ? new Error(`Could not ${action} at ${where}: the database refused (${code}).`, { cause })
    : cause;
}
