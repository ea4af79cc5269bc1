import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LoggerService } from '@backstage/backend-plugin-api';
import type { VectorIndexAdministration, VectorIndexOptions } from '../database/vectorIndex/types';
import type { ConfigService } from '../services/ConfigService';
import { PgVectorStore } from '../services/PgVectorStore';
import { VectorStoreFactory } from '../services/VectorStoreFactory';
import { failure } from './exitCodes';
import { readBackstageDatabase } from './readBackstageDatabase';
import { readConfig, type Variables } from './readConfig';
import { storeConfig } from './storeConfig';

/** Which store a command works on. */
export interface StoreOptions {
  config?: string[];
  /** Instead of what the configuration says. */
  databaseUrl?: string;
}

/** A store as far as the commands use it; whoever opens it closes it. */
export interface OpenStore {
  index: VectorIndexAdministration;
  /** What the configuration says of the index. */
  configuredIndex: VectorIndexOptions;
  /** Rows of the store. */
  count(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Opens the store that a backend with the same configuration uses, and leaves its schema as it is: to
 * migrate is the backend's part.
 *
 * @throws a failure or an error of the plugin, with the remedy.
 */
export async function openStore(
  options: StoreOptions,
  surroundings: { variables: Variables; directory: string; logger: LoggerService },
): Promise<OpenStore> {
  const { variables, directory, logger } = surroundings;
  const root = await readConfig(options.config ?? [], variables, directory);
  const config = storeConfig(root, options.databaseUrl ?? variables.ASK_AI_DATABASE_URL);
  assertThere(config, directory);
  const { store } = await VectorStoreFactory.open(config, logger, {
    migrate: false,
    backstageDatabase: () => readBackstageDatabase(root, logger),
  });
  if (!(store instanceof PgVectorStore)) {
    await store.close();
    throw failure(
      'usage',
      'The store is kept in memory, where every search compares with every vector: there is no vector index. ' +
        'Set askAi.vectorStore.type to postgresql or embedded, or give a database with --database-url.',
    );
  }
  return {
    index: store.index,
    // The embedded database makes nothing of it.
    configuredIndex:
      config.getVectorStoreType() === 'postgresql' ? config.getVectorIndexConfig() : {},
    count: () => store.count(),
    close: () => store.close(),
  };
}

/** Opening an embedded store would make one. */
function assertThere(config: ConfigService, directory: string): void {
  if (config.getVectorStoreType() !== 'embedded') {
    return;
  }
  const folder = resolve(directory, config.getVectorStoreConfig().embedded.directory);
  if (!existsSync(folder)) {
    throw failure(
      'nothingFound',
      `There is no embedded store in ${folder}: run this command in the folder that the backend is started in, or start the backend once.`,
    );
  }
}
