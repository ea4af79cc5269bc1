import type { LoggerService } from '@backstage/backend-plugin-api';
import type { IVectorStore, VectorStoreProvider } from 'backstage-plugin-ask-ai-node';
import type { DatabaseConnection } from '../database/connection';
import { openEmbeddedConnection } from '../database/embeddedConnection';
import { PgQuestionStore } from '../database/PgQuestionStore';
import { PgRunStore } from '../database/PgRunStore';
import { identifyTarget, type PostgresConnectionOptions } from '../database/poolConfig';
import { describeRestriction } from '../database/roles/describeRestriction';
import { openRoleConnections } from '../database/roles/openRoleConnections';
import { DEFAULT_DIMENSIONS } from '../database/schema';
import type { VectorIndexOptions } from '../database/vectorIndex/types';
import { ConfigurationError } from '../errors';
import type { SharedCache } from '../lib/cache/SharedTier';
import type { QuestionStore, RunStore } from '../types';
import { CachedVectorStore, type CachedVectorStoreOptions } from './CachedVectorStore';
import type { ConfigService } from './ConfigService';
import { InMemoryQuestionStore } from './InMemoryQuestionStore';
import { InMemoryRunStore } from './InMemoryRunStore';
import { InMemoryVectorStore } from './InMemoryVectorStore';
import { lateQuestionStore, lateRunStore } from './lateRecords';
import { PgVectorStore } from './PgVectorStore';
import { type ResilienceFigures, ResilientVectorStore } from './ResilientVectorStore';
import type { GuardObserver } from './resilient/Guard';
import { StoreOpening } from './StoreOpening';

/** What the factory may need from around the plugin. */
export interface VectorStoreDependencies {
  /** Backstage's own database, for `postgresql` without a block of its own. */
  backstageDatabase?: () => Promise<PostgresConnectionOptions | undefined>;
  /** What modules of other packages bring, by the type that names it. */
  vectorStores?: ReadonlyMap<string, VectorStoreProvider>;
  /** Backstage's cache service. Searches are cached where the configuration says so. */
  cache?: SharedCache;
  /** `false` leaves the schema as it is. Default `true`. */
  migrate?: boolean;
  /** Is told of repeated calls and of circuit breakers that open and close. */
  observer?: GuardObserver;
}

/** The store, and the records of runs and questions that lie beside it. */
export interface OpenStores {
  store: IVectorStore;
  runs: RunStore;
  questions: QuestionStore;
  /**
   * Why rows are written one by one, and indexes and words stay as they are; `undefined` when nothing keeps
   * them from being changed. Rejects when a role of the database can't connect.
   */
  restriction?(): Promise<string | undefined>;
}

/** What a backend works with, from its start to its end. */
export interface ServedStores extends OpenStores {
  /** Resolves when the store is open, or closed. */
  opened(): Promise<void>;
  /** `undefined` for a store that is part of this process. */
  resilience(): ResilienceFigures | undefined;
}

/** Makes the store that the configuration asks for. One that can't start is an error, never another. */
export class VectorStoreFactory {
  /**
   * The store with its decorators.
   *
   * @throws VectorStoreUnavailableError, VectorStoreSchemaError or ConfigurationError.
   */
  static async create(
    config: ConfigService,
    logger: LoggerService,
    dependencies: VectorStoreDependencies = {},
  ): Promise<IVectorStore> {
    const caching = await cacheOptions(config, dependencies);
    const { store } = await VectorStoreFactory.open(config, logger, dependencies);
    return cached(
      config.getVectorStoreType() === 'postgresql' ? decorate(store, config, dependencies) : store,
      caching,
    );
  }

  /**
   * What a backend works with. A server that can't be reached, or is not as it must be, keeps nobody from
   * starting: the store is opened as soon as that works, and until then calls reject with the reason.
   *
   * @throws ConfigurationError, and what a store on this machine can't be opened for.
   */
  static async serve(
    config: ConfigService,
    logger: LoggerService,
    dependencies: VectorStoreDependencies = {},
  ): Promise<ServedStores> {
    const open = () => VectorStoreFactory.open(config, logger, dependencies);
    const caching = await cacheOptions(config, dependencies);
    if (config.getVectorStoreType() !== 'postgresql') {
      const stores = await open();
      const store = cached(stores.store, caching);
      return { ...stores, store, opened: async () => {}, resilience: () => undefined };
    }
    const opening = await StoreOpening.start(async () => {
      const stores = await open();
      return { ...stores, close: () => stores.store.close() };
    }, logger);
    const late = { current: () => opening.current().store, close: () => opening.close() };
    const store = decorate(late, config, dependencies);
    return {
      store: cached(store, caching),
      runs: lateRunStore(() => opening.current().runs),
      questions: lateQuestionStore(() => opening.current().questions),
      restriction: async () => opening.current().restriction?.(),
      opened: () => opening.settled(),
      resilience: () => store.figures,
    };
  }

  /** The bare store, with the records beside it. Closing the store closes all. */
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
        return openRoleConnections(await postgresOptions(config, dependencies), logger);
      default:
        return undefined;
    }
  }
}

/** A server is at the other end of a network. */
function decorate(
  store: Parameters<typeof ResilientVectorStore.create>[0],
  config: ConfigService,
  { observer }: VectorStoreDependencies,
): ResilientVectorStore {
  return ResilientVectorStore.create(store, { ...config.getResilienceConfig(), observer });
}

/** Outermost: what is answered from the cache needs no server. */
function cached(store: IVectorStore, options: CachedVectorStoreOptions | undefined): IVectorStore {
  return options ? CachedVectorStore.create(store, options) : store;
}

/** `undefined` where searches are not cached. */
async function cacheOptions(
  config: ConfigService,
  dependencies: VectorStoreDependencies,
): Promise<CachedVectorStoreOptions | undefined> {
  const { enabled, isShared, ttlSeconds, maxEntries, maxBytes, timeoutMs } =
    config.getCacheConfig();
  if (!enabled) {
    return undefined;
  }
  const bounds = { ttlMs: ttlSeconds * 1_000, maxEntries, maxBytes, timeoutMs };
  if (!isShared || config.getVectorStoreType() !== 'postgresql') {
    // Replicas do not share what lies in memory or in a folder. Another package's store says nothing of
    // where it lies, so two of them could not be told apart.
    return bounds;
  }
  const name = nameOf(await postgresOptions(config, dependencies));
  return name === undefined ? bounds : { ...bounds, cache: dependencies.cache, name };
}

function nameOf(options: PostgresConnectionOptions): string | undefined {
  try {
    return identifyTarget(options);
  } catch (error) {
    throw new ConfigurationError([
      `askAi.vectorStore.postgresql can't be read: ${(error as Error).message}`,
    ]);
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
    restriction: () => describeRestriction(connection),
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
