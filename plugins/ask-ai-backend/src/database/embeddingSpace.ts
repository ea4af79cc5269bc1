import type { EmbeddingSpace } from 'backstage-plugin-ask-ai-node';
import { sql } from 'drizzle-orm';
import { DimensionMismatchError, EmbeddingSpaceMismatchError } from '../errors';
import type { Database, DatabaseConnection } from './connection';
import { isEmpty } from './counts';
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
  if (stored && isSame(stored, space) && stored.chunkerVersion === space.chunkerVersion) {
    return;
  }
  await changeTable(connection, async transaction => {
    const current = await readEmbeddingSpace(transaction);
    if (!(await isEmpty(transaction))) {
      await assertFits(transaction, current, space);
    }
    await setDimensions(transaction, space.dimensions);
    await transaction
      .insert(embeddingSpace)
      .values(space)
      .onConflictDoUpdate({ target: embeddingSpace.singleton, set: space });
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
  if (current && !isSame(current, space)) {
    throw new EmbeddingSpaceMismatchError(describe(current), describe(space));
  }
  const dimensions = await readDimensions(transaction);
  if (!current && dimensions !== space.dimensions) {
    throw new EmbeddingSpaceMismatchError(
      `an unknown model (${dimensions} dimensions)`,
      describe(space),
    );
  }
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
  for (const name of [VECTOR_INDEX, NEW_VECTOR_INDEX, OLD_VECTOR_INDEX]) {
    await transaction.execute(sql`drop index if exists ${sql.identifier(name)}`);
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

function isSame(a: EmbeddingSpace, b: EmbeddingSpace): boolean {
  return a.provider === b.provider && a.model === b.model && a.dimensions === b.dimensions;
}

function describe({ provider, model, dimensions }: EmbeddingSpace): string {
  return `${provider}/${model} (${dimensions} dimensions)`;
}
