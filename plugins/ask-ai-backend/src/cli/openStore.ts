import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LoggerService } from '@backstage/backend-plugin-api';
import type { Config } from '@backstage/config';
import type {
  EmbeddingProvider,
  EmbeddingSpace,
  ReembedResult,
} from 'backstage-plugin-ask-ai-node';
import type { VectorIndexAdministration, VectorIndexOptions } from '../database/vectorIndex/types';
import { createEmbeddingProvider } from '../models';
import { spaceOf } from '../pipeline/EmbeddingSpaces';
import { type ReembedHooks, reembedStore } from '../pipeline/reembedStore';
import { ConfigService } from '../services/ConfigService';
import { PgVectorStore } from '../services/PgVectorStore';
import { VectorStoreFactory } from '../services/VectorStoreFactory';
import type { RunStore } from '../types';
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

/** How a command takes the store to another embedding space. */
export interface StoreReembedding {
  stored(): Promise<EmbeddingSpace | undefined>;
  /** Asks the configured model for its dimensions. */
  configured(): Promise<EmbeddingSpace>;
  /** See `reembedStore`. */
  run(space: EmbeddingSpace, hooks: ReembedHooks): Promise<ReembedResult>;
  /** Removes what an interrupted run left. @returns the space that it was for. */
  discard(): Promise<EmbeddingSpace | undefined>;
}

/** A store as far as the commands use it; whoever opens it closes it. */
export interface OpenStore {
  index: VectorIndexAdministration;
  /** What the configuration says of the index. */
  configuredIndex: VectorIndexOptions;
  /** Rows of the store. */
  count(): Promise<number>;
  /** The store on its way to the configured embedding model. */
  reembedding: StoreReembedding;
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
  const config = storeConfig(root, options.databaseUrl ?? variables.ASK_AI_DATABASE_URL, variables);
  assertThere(config, directory);
  const { store, runs } = await VectorStoreFactory.open(config, logger, {
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
    reembedding: reembeddingOf(root, { store, runs, logger }),
    close: () => store.close(),
  };
}

function reembeddingOf(
  root: Config,
  { store, runs, logger }: { store: PgVectorStore; runs: RunStore; logger: LoggerService },
): StoreReembedding {
  let provider: Promise<EmbeddingProvider> | undefined;
  // Only here the rest of the configuration, and the keys that it needs, must be complete.
  const configuredProvider = () => {
    provider ??= createEmbeddingProvider(ConfigService.fromConfig(root));
    return provider;
  };
  return {
    stored: () => store.embeddingSpace(),
    configured: async () => spaceOf(await configuredProvider()),
    run: async (space, hooks) => {
      const embeddingProvider = await configuredProvider();
      return reembedStore(space, { store, runs, logger, embeddingProvider }, hooks);
    },
    discard: () => store.discardChangeOfSpace(),
  };
}

/** Opening an embedded store would make one. */
export function assertThere(config: ConfigService, directory: string): void {
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
