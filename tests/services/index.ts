/**
 * Servers and databases for tests and benchmarks: PostgreSQL with pgvector, Redis and PgBouncer.
 *
 * @packageDocumentation
 */

export type { DatabaseOptions, DatabaseServer, TestDatabase } from './databases';
export { createDatabase, dropDatabases, prepareDatabases } from './databases';
export { type PgBouncerOptions, type PgBouncerServer, startPgBouncer } from './pgBouncer';
export { pollUntil } from './poll';
export { freePort } from './ports';
export {
  type PostgresOptions,
  type PostgresServer,
  type PostgresSettings,
  type StopMode,
  startPostgres,
} from './postgres';
export { type RedisServer, startRedis } from './redis';
export { createTestDatabase, testServerUrl } from './testDatabase';
export { openTestServer, type TestServer } from './testServer';
