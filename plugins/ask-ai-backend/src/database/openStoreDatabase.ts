import type { LoggerService } from '@backstage/backend-plugin-api';
import type { DatabaseConnection } from './connection';
import { translateDatabaseError } from './databaseErrors';
import { changeDimensions } from './embeddingSpace';
import { assertCompatible, migrate } from './migrator';
import type { PostgresConnectionOptions } from './postgresConnection';
import { assertRolesConnect } from './roles/assertRolesConnect';
import { grantRights } from './roles/grantRights';
import { openRoleConnections } from './roles/openRoleConnections';
import { StoreUpkeep } from './StoreUpkeep';
import { assertSupportedServer } from './serverVersion';
import type { SlowSearchOptions } from './slowSearches';
import { resolveTextSearchConfig } from './textSearch';
import type { VectorIndexOptions } from './vectorIndex/types';
import { VectorIndex } from './vectorIndex/VectorIndex';

/** Which database a store works on, and how it is made ready. */
export interface StoreDatabaseOptions extends Partial<SlowSearchOptions> {
  logger: Pick<LoggerService, 'debug' | 'info' | 'warn'>;
  /** The server; or give `connection`. */
  postgresql?: PostgresConnectionOptions;
  /** An open connection, which the store then owns and closes. */
  connection?: DatabaseConnection;
  /** `false` leaves the schema as it is. Default `true`. */
  migrate?: boolean;
  /** What an empty store takes; the default is what the database has, 384 in a new one. */
  dimensions?: number;
  /** How the vector index is built and searched. Default: as `postgresql` says, else as it is. */
  index?: VectorIndexOptions;
  /** Of PostgreSQL, such as `german`. Default: as `postgresql` says, else as it is, `english` at first. */
  textSearchConfig?: string;
}

/**
 * Migrates, checks that server and extension are recent enough, and looks after the vector index from
 * now on. Closes the connection when that fails.
 *
 * @throws VectorStoreUnavailableError or VectorStoreSchemaError, with the remedy.
 */
export async function openStoreDatabase(options: StoreDatabaseOptions): Promise<{
  connection: DatabaseConnection;
  index: VectorIndex;
  upkeep: StoreUpkeep;
}> {
  const connection = options.connection ?? connect(options);
  const { logger, postgresql, migrate: mayChange = true, dimensions } = options;
  try {
    await assertSupportedServer(connection.db);
    await assertRolesConnect(connection);
    const applied = await (mayChange ? migrate(connection) : assertCompatible(connection.db));
    if (applied) {
      logger.info(`Applied ${applied} migrations to ${connection.description}`);
    }
    if (mayChange) {
      await grantRights(connection);
    }
    if (dimensions !== undefined) {
      await changeDimensions(connection, dimensions);
    }
    const index = await VectorIndex.open(
      connection,
      logger,
      options.index ?? postgresql?.index ?? {},
    );
    const { textSearchConfig = postgresql?.textSearchConfig } = options;
    const words =
      textSearchConfig && mayChange
        ? await resolveTextSearchConfig(connection.db, textSearchConfig)
        : undefined;
    const upkeep = new StoreUpkeep(connection, index, logger, words);
    if (mayChange) {
      upkeep.start();
    }
    return { connection, index, upkeep };
  } catch (error) {
    await connection.close();
    throw translateDatabaseError(error, 'open the vector store', connection.description);
  }
}

function connect({ postgresql, logger }: StoreDatabaseOptions): DatabaseConnection {
  if (!postgresql) {
    throw new TypeError('PgVectorStore.create needs `postgresql` or `connection`.');
  }
  return openRoleConnections(postgresql, logger);
}
