import type { LoggerService } from '@backstage/backend-plugin-api';
import type { DatabaseConnection } from '../database/connection';
import { VectorStoreFactory } from '../services/VectorStoreFactory';
import { failure } from './exitCodes';
import { assertThere, type StoreOptions } from './openStore';
import { readBackstageDatabase } from './readBackstageDatabase';
import { readConfig, type Variables } from './readConfig';
import { storeConfig } from './storeConfig';

/**
 * Opens the database of a store, whatever state its schema is in; whoever opens it closes it.
 *
 * @throws a failure or an error of the plugin, with the remedy.
 */
export async function openDatabase(
  options: StoreOptions,
  surroundings: { variables: Variables; directory: string; logger: LoggerService },
): Promise<DatabaseConnection> {
  const { variables, directory, logger } = surroundings;
  const root = await readConfig(options.config ?? [], variables, directory);
  const config = storeConfig(root, options.databaseUrl ?? variables.ASK_AI_DATABASE_URL, variables);
  assertThere(config, directory);
  const connection = await VectorStoreFactory.connect(config, logger, {
    backstageDatabase: () => readBackstageDatabase(root, logger),
  });
  if (!connection) {
    throw failure(
      'usage',
      'The store is kept in memory, which has no database: set askAi.vectorStore.type to postgresql or embedded, or give a database with --database-url.',
    );
  }
  return connection;
}
