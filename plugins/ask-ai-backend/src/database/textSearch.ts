import { sql } from 'drizzle-orm';
import { VectorStoreSchemaError } from '../errors';
import { type Database, type DatabaseConnection, selectRows } from './connection';
import { driverError } from './databaseErrors';
import { exportEmbeddings } from './exportRows';
import { refreshKeywordStatistics } from './keywordStatistics';
import { loadTable } from './load/loadTable';
import { withMaintenanceTransaction } from './timeLimits';
import type { VectorIndex } from './vectorIndex/VectorIndex';

/** SQLSTATE: there is no such thing, or its name is none. */
const NO_SUCH_CONFIGURATION = ['42704', '42602', '42601', '3F000'];

/**
 * The name of a text search configuration as PostgreSQL writes it, without the schema where that is on the
 * search path.
 *
 * @throws VectorStoreSchemaError when the database has none of that name.
 */
export async function resolveTextSearchConfig(db: Database, name: string): Promise<string> {
  try {
    const [row] = await selectRows<{ name: string }>(
      db,
      sql`select ${name}::regconfig::text as name`,
    );
    return row?.name ?? name;
  } catch (error) {
    if (!NO_SUCH_CONFIGURATION.includes(driverError(error).code ?? '')) {
      throw error;
    }
    throw new VectorStoreSchemaError(
      `Expected askAi.vectorStore.postgresql.textSearchConfig to be a text search configuration of the database, such as "english", "german" or "simple", got "${name}". The ones that there are: \\dF in psql.`,
      { cause: error },
    );
  }
}

/**
 * Makes the stored words those of another text search configuration. The table is built anew beside the
 * old one, which serves until then, and takes its place as a load does (`loadTable.ts`); what others write
 * meanwhile is kept.
 *
 * @returns whether there was anything to do.
 * @throws ConflictError while a load or a rebuild is under way; VectorStoreSchemaError when the role may not
 * exchange the table, or others rely on it.
 */
export async function ensureTextSearchConfig(
  connection: DatabaseConnection,
  index: VectorIndex,
  { textSearchConfig, signal }: { textSearchConfig: string; signal: AbortSignal },
): Promise<boolean> {
  await index.refresh(0);
  if (index.settings.textSearchConfig === textSearchConfig) {
    return false;
  }
  const { dimensions, definition } = index;
  await loadTable(connection, exportEmbeddings(connection.db), {
    dimensions,
    definition,
    textSearchConfig,
    signal,
  });
  await index.refresh(0);
  await withMaintenanceTransaction(connection, refreshKeywordStatistics);
  return true;
}
