import type { LoggerService } from '@backstage/backend-plugin-api';
import type { IVectorStore, VectorStoreProvider } from 'backstage-plugin-ask-ai-node';
import type { DatabaseConnection } from '../database/connection';
import { openEmbeddedConnection } from '../database/embeddedConnection';
import { PgQuestionStore } from '../database/PgQuestionStore';
import { PgRunStore } from '../database/PgRunStore';
import {
  openPostgresConnection,
  type PostgresConnectionOptions,
} from '../database/postgresConnection';
import { DEFAULT_DIMENSIONS } from '../database/schema';
import type { VectorIndexOptions } from '../database/vectorIndex/types';
import { ConfigurationError } from '../errors';
import type { QuestionStore, RunStore } from '../types';
import type { ConfigService } from './ConfigService';
import { InMemoryQuestionStore } from './InMemoryQuestionStore';
import { InMemoryRunStore } from './InMemoryRunStore';
import { InMemoryVectorStore } from './InMemoryVectorStore';
import { PgVectorStore } from './PgVectorStore';

/** What the factory may need from around the plugin. */
export interface VectorStoreDependencies {
  /** Backstage's own database, for `postgresql` without a block of its own. */
  backstageDatabase?: () => Promise<PostgresConnectionOptions | undefined>;
  /** What modules of other packages bring, by the type that names it. */
  vectorStores?: ReadonlyMap<string, VectorStoreProvider>;
  /** `false` leaves the schema as it is. Default `true`. */
  migrate?: boolean;
}

/** The store, and the records of runs and questions that lie beside it. */
export interface OpenStores {
  store: IVectorStore;
  runs: RunStore;
  questions: QuestionStore;
}

/** Makes the store that the configuration asks for. One that can't start is an error, never another. */
export class VectorStoreFactory {
  /** @throws VectorStoreUnavailableError, VectorStoreSchemaError or ConfigurationError. */
  static async create(
    config: ConfigService,
    logger: LoggerService,
    dependencies: VectorStoreDependencies = {},
  ): Promise<IVectorStore> {
    return (await VectorStoreFactory.open(config, logger, dependencies)).store;
  }

  /** Like `create`, with the records beside it. Closing the store closes all. */
  static async open(
    config: ConfigService,
    logger: LoggerService,
    dependencies: VectorStoreDependencies = {},
  ): Promise<OpenStores> {
    const connection = await VectorStoreFactory.connect(config, logger, dependencies);
    if (!connection) {
      const type = config.getVectorStoreType();
      return inMemory(
        type === 'memory'
          ? InMemoryVectorStore.create({ dimensions: DEFAULT_DIMENSIONS })
          : await createExtension(type, logger, dependencies),
      );
    }
    // The embedded database makes nothing of it.
    const index = connection.kind === 'postgresql' ? config.getVectorIndexConfig() : undefined;
    return onDatabase(connection, {
      logger,
      migrate: dependencies.migrate,
      index,
      textSearchConfig: config.getTextSearchConfig(),
    });
  }

  /** The database that the configuration asks for, whatever is in it; `undefined` for a store without. */
  static async connect(
    config: ConfigService,
    logger: LoggerService,
    dependencies: VectorStoreDependencies = {},
  ): Promise<DatabaseConnection | undefined> {
    switch (config.getVectorStoreType()) {
      case 'embedded':
        return openEmbeddedConnection(config.getVectorStoreConfig().embedded.directory);
      case 'postgresql':
        return openPostgresConnection(await postgresOptions(config, dependencies), logger);
      default:
        return undefined;
    }
  }
}

/** Runs and questions of a store that has no place for them. */
function inMemory(store: IVectorStore): OpenStores {
  return { store, runs: InMemoryRunStore.create(), questions: InMemoryQuestionStore.create() };
}

async function createExtension(
  type: string,
  logger: LoggerService,
  { vectorStores }: VectorStoreDependencies,
): Promise<IVectorStore> {
  const provider = vectorStores?.get(type);
  if (!provider) {
    throw new ConfigurationError([
      `askAi.vectorStore.type is ${type}, which a module of another package brings, but none did`,
    ]);
  }
  return provider.create({ logger, dimensions: DEFAULT_DIMENSIONS });
}

async function onDatabase(
  connection: DatabaseConnection,
  options: {
    logger: LoggerService;
    migrate?: boolean;
    index?: VectorIndexOptions;
    textSearchConfig?: string;
  },
): Promise<OpenStores> {
  const store = await PgVectorStore.create({ connection, ...options });
  options.logger.info(`Vector store: ${connection.kind}, ${connection.description}`);
  return {
    store,
    runs: PgRunStore.create(connection),
    questions: PgQuestionStore.create(connection),
  };
}

async function postgresOptions(
  config: ConfigService,
  { backstageDatabase }: VectorStoreDependencies,
): Promise<PostgresConnectionOptions> {
  if (config.getVectorStoreConfig().postgresql) {
    return config.getPostgresConfig();
  }
  const options = await backstageDatabase?.();
  if (!options) {
    throw new ConfigurationError([
      'askAi.vectorStore.type is postgresql, but askAi.vectorStore.postgresql describes no server and ' +
        'Backstage itself does not use PostgreSQL: set askAi.vectorStore.postgresql.{host, port, database, user, password}',
    ]);
  }
  return options;
}
