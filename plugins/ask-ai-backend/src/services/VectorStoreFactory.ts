import type { LoggerService } from '@backstage/backend-plugin-api';
import type { IVectorStore, VectorStoreProvider } from 'backstage-plugin-ask-ai-node';
import { type DatabaseChecks, databaseChecks } from '../database/checkDatabase';
import type { DatabaseConnection, PoolFigures } from '../database/connection';
import { openEmbeddedConnection } from '../database/embeddedConnection';
import type { StoreDatabaseOptions } from '../database/openStoreDatabase';
import { PgQuestionStore } from '../database/PgQuestionStore';
import { PgRunStore } from '../database/PgRunStore';
import { identifyTarget, type PostgresConnectionOptions } from '../database/poolConfig';
import { openRoleConnections } from '../database/roles/openRoleConnections';
import { DEFAULT_DIMENSIONS } from '../database/schema';
import { ConfigurationError } from '../errors';
import type { SharedCache } from '../lib/cache/SharedTier';
import type { CacheFigures } from '../lib/cache/TwoTierCache';
import type { Telemetry } from '../lib/telemetry/Telemetry';
import type { QuestionStore, RunStore } from '../types';
import { CachedVectorStore, type CachedVectorStoreOptions } from './CachedVectorStore';
import type { ConfigService } from './ConfigService';
import { InMemoryQuestionStore } from './InMemoryQuestionStore';
import { InMemoryRunStore } from './InMemoryRunStore';
import { InMemoryVectorStore } from './InMemoryVectorStore';
import { lateChecks, lateQuestionStore, lateRunStore } from './lateRecords';
import { MeasuredVectorStore } from './MeasuredVectorStore';
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
  /** Searches and writes are measured by it. */
  telemetry?: Telemetry;
  /** Is told of repeated calls and of circuit breakers that open and close. */
  observer?: GuardObserver;
}

/** The store, and the records of runs and questions that lie beside it. */
export interface OpenStores {
  store: IVectorStore;
  runs: RunStore;
  questions: QuestionStore;
  /** What tells whether the database is well; left out: there is none. */
  checks?: DatabaseChecks;
  /** Connections to the database, by who works on it. */
  pools?(): Partial<Record<'writer' | 'reader' | 'admin', PoolFigures>>;
}

/** What a backend works with, from its start to its end. */
export interface ServedStores extends OpenStores {
  /** Resolves when the store is open, or closed. */
  opened(): Promise<void>;
  /** `undefined` for a store that is part of this process. */
  resilience(): ResilienceFigures | undefined;
  /** How often searches were answered from the cache; `undefined` where they are not cached. */
  cacheFigures(): Readonly<CacheFigures> | undefined;
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
    const resilient =
      config.getVectorStoreType() === 'postgresql' ? decorate(store, config, dependencies) : store;
    return measured(cached(resilient, caching), dependencies);
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
      return {
        ...stores,
        store: measured(store, dependencies),
        opened: async () => {},
        resilience: () => undefined,
        cacheFigures: () => figuresOf(store),
      };
    }
    const opening = await StoreOpening.start(async () => {
      const stores = await open();
      return { ...stores, close: () => stores.store.close() };
    }, logger);
    const late = { current: () => opening.current().store, close: () => opening.close() };
    const resilient = decorate(late, config, dependencies);
    const store = cached(resilient, caching);
    return {
      store: measured(store, dependencies),
      runs: lateRunStore(() => opening.current().runs),
      questions: lateQuestionStore(() => opening.current().questions),
      checks: lateChecks(() => opening.current().checks),
      pools: () => (opening.isOpen ? (opening.current().pools?.() ?? {}) : {}),
      opened: () => opening.settled(),
      resilience: () => resilient.figures,
      cacheFigures: () => figuresOf(store),
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
      slowQueryMillis: config.getSlowQueryMillis(),
      onSlowSearch: mode => dependencies.telemetry?.count('ask_ai.slow_searches', { mode }),
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

/** Outermost: how long whoever searches waits. */
function measured(store: IVectorStore, { telemetry }: VectorStoreDependencies): IVectorStore {
  return telemetry ? MeasuredVectorStore.create(store, telemetry) : store;
}

function figuresOf(store: IVectorStore): Readonly<CacheFigures> | undefined {
  return store instanceof CachedVectorStore ? store.figures : undefined;
}

/** What is answered from the cache needs no server. */
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
  options: Omit<StoreDatabaseOptions, 'connection' | 'postgresql'> & { logger: LoggerService },
): Promise<OpenStores> {
  const store = await PgVectorStore.create({ connection, ...options });
  options.logger.info(`Vector store: ${connection.kind}, ${connection.description}`);
  return {
    store,
    runs: PgRunStore.create(connection),
    questions: PgQuestionStore.create(connection),
    checks: databaseChecks(connection),
    pools: () => poolsOf(connection),
  };
}

function poolsOf({
  pool,
  reader,
  admin,
}: DatabaseConnection): ReturnType<NonNullable<OpenStores['pools']>> {
  return {
    ...(pool && { writer: pool() }),
    ...(reader.pool && reader.pool !== pool && { reader: reader.pool() }),
    ...(admin.pool && admin.pool !== pool && { admin: admin.pool() }),
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
