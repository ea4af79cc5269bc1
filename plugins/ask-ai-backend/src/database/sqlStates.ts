/**
 * What becomes of a call that failed:
 *
 * - `retryable`: the server is well and the same call may succeed at once, so it is repeated;
 * - `unavailable`: the server can't serve for now; repeated a few times, and so often in a row it opens
 *   the circuit breaker;
 * - `refusing`: as `unavailable`, but repeated at once it would fail again: somebody must act, or load go
 *   down;
 * - `schema`: the database is not as it must be, which the remedy mends;
 * - `caller`: a value that can't be stored or compared: the call itself is wrong.
 */
export type FaultKind = 'retryable' | 'unavailable' | 'refusing' | 'schema' | 'caller';

export interface Fault {
  kind: FaultKind;
  /** What to do, as a sentence for the error message. */
  remedy: string;
}

/** `lock_not_available` */
export const LOCK_NOT_AVAILABLE = '55P03';
/** `deadlock_detected`: of two that wait for each other, this one steps back. */
export const DEADLOCK_DETECTED = '40P01';
/** `serialization_failure` */
export const SERIALIZATION_FAILURE = '40001';

const BROKEN = 'The connection broke; the call can be repeated.';
const NETWORK = 'Check the network between the backend and the server.';
const RESOURCES = 'The server is out of a resource (connections, memory or disk).';
const EXTENSION =
  'Enable pgvector (CREATE EXTENSION vector;) and run the migrations: npm run db:migrate.';
const BAD_VALUE = 'It holds a value that PostgreSQL can not store or compare.';

/**
 * By SQLSTATE, by its class (the first two characters), or by the code of a socket error.
 * Source: PostgreSQL, appendix "Error Codes"; Node.js, "Common system errors".
 */
const FAULTS: Record<string, Fault> = {
  // Nobody listens: the server is down or starting, or the address is wrong.
  ECONNREFUSED: {
    kind: 'unavailable',
    remedy: 'Check that the server runs and that host and port are right.',
  },
  // One connection was cut; the next may be well.
  ECONNRESET: { kind: 'retryable', remedy: BROKEN },
  EPIPE: { kind: 'retryable', remedy: BROKEN },
  // The socket of a server on this machine is not there yet.
  ENOENT: {
    kind: 'unavailable',
    remedy: 'Check that the server runs and that the folder of its socket is right.',
  },
  ETIMEDOUT: { kind: 'unavailable', remedy: NETWORK },
  EHOSTUNREACH: { kind: 'unavailable', remedy: NETWORK },
  ENETUNREACH: { kind: 'unavailable', remedy: NETWORK },
  // A name that does not exist; a fail-over may bring it, a moment does not.
  ENOTFOUND: { kind: 'refusing', remedy: 'Check the host name.' },
  // The name service did not answer.
  EAI_AGAIN: { kind: 'unavailable', remedy: 'Check the host name and the name service.' },
  // PgBouncer refuses parameters of the start-up message that it does not know.
  '08P01': {
    kind: 'refusing',
    remedy:
      'Behind PgBouncer, set ignore_startup_parameters = statement_timeout,options in its configuration (and lock_timeout, idle_in_transaction_session_timeout where they are configured).',
  },
  // connection_exception
  '08': { kind: 'retryable', remedy: BROKEN },
  // data_exception: a number out of range, a text that is no text
  '22': { kind: 'caller', remedy: BAD_VALUE },
  // program_limit_exceeded: a row or an index entry that is too large
  '54': { kind: 'caller', remedy: BAD_VALUE },
  // invalid_authorization_specification: may mend itself where passwords rotate
  '28': {
    kind: 'refusing',
    remedy: 'Check user and password; with auth, that the role may log in by tokens.',
  },
  // invalid_catalog_name
  '3D000': { kind: 'refusing', remedy: 'Create the database, or correct its name.' },
  // transaction_rollback: deadlock, serialization failure
  '40': {
    kind: 'retryable',
    remedy: 'Another transaction was in the way; the call can be repeated.',
  },
  // too_many_connections: one comes free in a moment
  '53300': { kind: 'unavailable', remedy: RESOURCES },
  // insufficient_resources: a full disk stays full
  '53': { kind: 'refusing', remedy: RESOURCES },
  [LOCK_NOT_AVAILABLE]: {
    kind: 'retryable',
    remedy: 'Another transaction holds a lock; the call can be repeated.',
  },
  // query_canceled: by statement_timeout, so that the same again makes it worse
  '57014': {
    kind: 'refusing',
    remedy: 'The server ended the statement, which took too long; the call can be repeated.',
  },
  // admin_shutdown of this session (pg_terminate_backend) or of the server, which the next attempt tells
  '57P01': {
    kind: 'retryable',
    remedy: 'The server ended the statement or is shutting down; the call can be repeated.',
  },
  // crash_shutdown, cannot_connect_now, database_dropped, idle_session_timeout
  '57': {
    kind: 'unavailable',
    remedy: 'The server is shutting down or starting; the call can be repeated.',
  },
  // system_error: outside of PostgreSQL
  '58': { kind: 'refusing', remedy: 'The server has a system error; see its log.' },
  // read_only_sql_transaction: a standby, until it is promoted
  '25006': {
    kind: 'refusing',
    remedy: 'The server is a read-only standby: connect to the primary.',
  },
  '42501': {
    kind: 'schema',
    remedy:
      'Grant the role the missing right; for one that only the owner of the tables has, give the credential of the owner as askAi.vectorStore.postgresql.admin, or run "ask-ai migrate" with it.',
  },
  '42P01': { kind: 'schema', remedy: 'Run the migrations: npm run db:migrate.' },
  '42P07': {
    kind: 'schema',
    remedy:
      'Tables of that name are there that these migrations did not make: use a database or schema of its own.',
  },
  '42703': { kind: 'schema', remedy: 'Run the migrations: npm run db:migrate.' },
  '42704': { kind: 'schema', remedy: EXTENSION },
  '42883': { kind: 'schema', remedy: EXTENSION },
};

/** Messages of node-postgres that carry no code, and what they mean. */
const MESSAGES: { pattern: RegExp; fault: Fault }[] = [
  {
    // The connection was there, and went in the middle of something.
    pattern:
      /Connection terminated(?! due to connection timeout)|Client has encountered a connection error|Client was closed/,
    fault: { kind: 'retryable', remedy: BROKEN },
  },
  {
    // The server does not answer, or every connection of the pool is in use: not at once again.
    pattern:
      /timeout exceeded when trying to connect|timeout expired|due to connection timeout|Query read timeout/,
    fault: {
      kind: 'refusing',
      remedy: 'The connection broke or timed out; the call can be repeated.',
    },
  },
  {
    // None is configured, or an empty one.
    pattern: /client password must be a/,
    fault: {
      kind: 'refusing',
      remedy:
        'The server asks for a password, and none is given: set askAi.vectorStore.postgresql.password, or put it into the URL.',
    },
  },
  {
    pattern: /Cannot use a pool after calling end/,
    fault: { kind: 'refusing', remedy: 'The vector store is closed.' },
  },
];

/** What an error of the driver means; `undefined` for one that no database sent. */
export function faultOf(error: { code?: unknown; message: string }): Fault | undefined {
  const code = typeof error.code === 'string' ? error.code : '';
  return (
    FAULTS[code] ??
    (code.length === 5 ? FAULTS[code.slice(0, 2)] : undefined) ??
    MESSAGES.find(({ pattern }) => pattern.test(error.message))?.fault
  );
}
