import type { EmbeddingSpace } from 'backstage-plugin-ask-ai-node';
import { sql } from 'drizzle-orm';
import { DimensionMismatchError } from '../errors';
import { assertSameSpace, isSameSpace } from '../lib/embeddingSpace';
import type { Database, DatabaseConnection } from './connection';
import { isEmpty } from './counts';
import { namesBesideLive } from './liveTable';
import { withLockRetries } from './lockRetries';
import { withMigrationLock } from './migrator';
import { embeddingSpace, embeddings, embeddingsTable } from './schema';
import { completeDefinition } from './vectorIndex/indexDefinition';
import {
  NEW_VECTOR_INDEX,
  OLD_VECTOR_INDEX,
  readDimensions,
  readTableState,
  VECTOR_INDEX,
} from './vectorIndex/indexState';
import { declaredIndexes } from './vectorIndex/indexStatements';

export async function readEmbeddingSpace(db: Database): Promise<EmbeddingSpace | undefined> {
  const [space] = await db
    .select({
      provider: embeddingSpace.provider,
      model: embeddingSpace.model,
      dimensions: embeddingSpace.dimensions,
      chunkerVersion: embeddingSpace.chunkerVersion,
    })
    .from(embeddingSpace);
  return space;
}

/** Claims the store for a space, as `IVectorStore.useEmbeddingSpace` says. */
export async function claimEmbeddingSpace(
  connection: DatabaseConnection,
  space: EmbeddingSpace,
): Promise<void> {
  const stored = await readEmbeddingSpace(connection.db);
  if (stored && isSameSpace(stored, space) && stored.chunkerVersion === space.chunkerVersion) {
    return;
  }
  await changeTable(connection, async transaction => {
    const current = await readEmbeddingSpace(transaction);
    if (!(await isEmpty(transaction))) {
      await assertFits(transaction, current, space);
    }
    await setDimensions(transaction, space.dimensions);
    await writeEmbeddingSpace(transaction, space);
  });
}

/** Steps back for who builds an index concurrently: each would wait for the other. */
function changeTable(
  connection: DatabaseConnection,
  work: (transaction: Database) => Promise<void>,
): Promise<void> {
  return withMigrationLock(connection, session =>
    withLockRetries(transact => session.transaction(transact), work),
  );
}

/** What was stored before any space was recorded is known by its dimensions only. */
async function assertFits(
  transaction: Database,
  current: EmbeddingSpace | undefined,
  space: EmbeddingSpace,
): Promise<void> {
  assertSameSpace(current ?? { dimensions: await readDimensions(transaction) }, space);
}

/**
 * Call it in a transaction that has read or written `embeddings`, whose lock keeps the space as it is.
 *
 * @throws EmbeddingSpaceMismatchError when the store is of another space.
 */
export async function assertSpace(transaction: Database, space: EmbeddingSpace): Promise<void> {
  const stored = await readEmbeddingSpace(transaction);
  if (stored) {
    assertSameSpace(stored, space);
  }
}

export async function writeEmbeddingSpace(
  transaction: Database,
  space: EmbeddingSpace,
): Promise<void> {
  const { provider, model, dimensions, chunkerVersion } = space;
  const set = { provider, model, dimensions, chunkerVersion };
  await transaction
    .insert(embeddingSpace)
    .values(set)
    .onConflictDoUpdate({ target: embeddingSpace.singleton, set });
}

/** Gives an empty store another dimension. */
export function changeDimensions(
  connection: DatabaseConnection,
  dimensions: number,
): Promise<void> {
  return changeTable(connection, transaction => setDimensions(transaction, dimensions));
}

async function setDimensions(transaction: Database, dimensions: number): Promise<void> {
  const current = await readDimensions(transaction);
  if (current === dimensions) {
    return;
  }
  if (!(await isEmpty(transaction))) {
    throw new DimensionMismatchError(current, dimensions, 'model');
  }
  const state = await readTableState(transaction);
  const definition = completeDefinition({ ...state, dimensions }, {});
  const column = sql.identifier(embeddings.vector.name);
  // Also what a killed process left: an index may not take the other dimension.
  const beside = await namesBesideLive(transaction);
  for (const name of [VECTOR_INDEX, NEW_VECTOR_INDEX, OLD_VECTOR_INDEX]) {
    await transaction.execute(sql`drop index if exists ${beside(name)}`);
  }
  await transaction.execute(
    sql`alter table ${embeddings} alter column ${column} type ${sql.raw(`vector(${Math.trunc(dimensions)})`)}`,
  );
  // Another type brings its own storage; see the migration `keep_vectors_inline`.
  await transaction.execute(sql`alter table ${embeddings} alter column ${column} set storage main`);
  for (const index of declaredIndexes(embeddingsTable('embeddings', dimensions, definition))) {
    if (index.name === VECTOR_INDEX) {
      await transaction.execute(index.create());
    }
  }
}

/**
 * Searches for a vector of a space. When the store was taken into that space a moment ago, what is known of
 * its table is of before, and the search is repeated.
 *
 * @throws EmbeddingSpaceMismatchError when the store is of another space, whatever the search failed with.
 */
export async function searchInSpace<T>(
  { db }: Pick<DatabaseConnection, 'db'>,
  index: { dimensions: number; refresh(maxAgeMs: number): Promise<void> },
  space: EmbeddingSpace,
  search: () => Promise<T>,
): Promise<T> {
  const { dimensions } = index;
  try {
    return await search();
  } catch (error) {
    // In this order: what is read of the table then is at least as new as the space that fits.
    await assertSpace(db, space);
    await index.refresh(0);
    if (index.dimensions !== dimensions) {
      return search();
    }
    throw error;
  }
}
