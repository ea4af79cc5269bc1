import { setTimeout as delay } from 'node:timers/promises';
import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { sql } from 'drizzle-orm';
import { VectorStoreSchemaError } from '../../errors';
import type { Database, DatabaseConnection } from '../connection';
import { withLockRetries } from '../lockRetries';
import { withMaintenanceLock } from '../maintenanceLock';
import { embeddingsTable } from '../schema';
import { buildIndex } from './buildIndex';
import { NEW_VECTOR_INDEX, OLD_VECTOR_INDEX, readVectorIndexes, VECTOR_INDEX } from './indexState';
import { declaredIndexes } from './indexStatements';
import type { BuildOptions } from './types';

/** Replicas look at the index again after this time; see `PgVectorStore`. */
export const STATE_LIFETIME_MS = 5_000;

/**
 * Builds the vector index anew beside the old one, which serves until the new one is valid, and then
 * takes its name. Nobody waits: neither readers nor writers. A killed process leaves an index that is
 * not used; the next rebuild or start removes it.
 *
 * @throws ConflictError while a load or another rebuild is under way; the signal's reason.
 */
export function rebuildIndex(
  connection: DatabaseConnection,
  definition: VectorIndexDefinition,
  size: { dimensions: number; rows: number },
  options: BuildOptions = {},
): Promise<void> {
  return withMaintenanceLock(connection, () =>
    // CREATE INDEX CONCURRENTLY is refused in a transaction, such as the one that holds the lock.
    connection.withMaintenanceSession(async session => {
      await dropLeftovers(connection, session);
      const before = (await readVectorIndexes(session)).find(({ name }) => name === VECTOR_INDEX);
      const declared = declaredIndexes(
        embeddingsTable('embeddings', size.dimensions, definition),
      ).find(({ name }) => name === VECTOR_INDEX);
      if (!declared) {
        throw new TypeError(`The schema declares no ${VECTOR_INDEX}.`);
      }
      const statement = declared.create({
        name: NEW_VECTOR_INDEX,
        concurrently: connection.kind === 'postgresql',
      });
      await buildIndex(connection, session, { ...definition, ...size, statement }, options, () =>
        drop(connection, session, NEW_VECTOR_INDEX),
      );
      await assertValid(session);
      await withLockRetries(
        work => session.transaction(work),
        transaction => exchangeNames(transaction, before !== undefined),
        options.signal,
      );
      if (before && before.precision !== definition.precision) {
        // Replicas that do not know of the exchange yet still search by the old expression.
        await delay(connection.kind === 'postgresql' ? 2 * STATE_LIFETIME_MS : 0);
      }
      await drop(connection, session, OLD_VECTOR_INDEX);
    }),
  );
}

/** Removes indexes that a killed process was building or about to remove, unless one is at it. */
export async function dropIndexLeftovers(connection: DatabaseConnection): Promise<void> {
  await withMaintenanceLock(connection, () =>
    connection.withMaintenanceSession(session => dropLeftovers(connection, session)),
  );
}

async function dropLeftovers(connection: DatabaseConnection, session: Database): Promise<void> {
  for (const { name } of await readVectorIndexes(session)) {
    if (name === NEW_VECTOR_INDEX || name === OLD_VECTOR_INDEX) {
      await drop(connection, session, name);
    }
  }
}

async function drop(
  connection: DatabaseConnection,
  session: Database,
  name: string,
): Promise<void> {
  const concurrently = sql.raw(connection.kind === 'postgresql' ? 'concurrently' : '');
  await session.execute(sql`drop index ${concurrently} if exists ${sql.identifier(name)}`);
}

/** CREATE INDEX CONCURRENTLY may end with an index that is not valid. */
async function assertValid(session: Database): Promise<void> {
  const built = (await readVectorIndexes(session)).find(({ name }) => name === NEW_VECTOR_INDEX);
  if (!built?.isValid) {
    throw new VectorStoreSchemaError(
      'The new vector index is not valid, so the old one goes on serving: rebuild it again (ask-ai reindex --tune).',
    );
  }
}

async function exchangeNames(transaction: Database, hasOld: boolean): Promise<void> {
  const rename = (from: string, to: string) =>
    transaction.execute(sql`alter index ${sql.identifier(from)} rename to ${sql.identifier(to)}`);
  if (hasOld) {
    await rename(VECTOR_INDEX, OLD_VECTOR_INDEX);
  }
  await rename(NEW_VECTOR_INDEX, VECTOR_INDEX);
}
