import type { Config } from '@backstage/config';
import { ConfigurationError } from '../errors';
import { KEY_VARIABLE } from './config/decryptSecrets';
import { type ModuleIds, readAskAiConfig } from './config/readAskAiConfig';
import type { IndexSchedule } from './config/schedule';
import type {
  AskAiConfig,
  AuditConfig,
  CacheConfig,
  ChunkingConfig,
  EmbeddingConfig,
  IndexConfig,
  LanguageModelConfig,
  OpenAiConfig,
  PermissionsConfig,
  PostgresConfig,
  QuestionsConfig,
  RateLimitConfig,
  ResilienceConfig,
  VectorIndexConfig,
  VectorStoreConfig,
  VectorStoreType,
} from './config/types';

export type { IndexSchedule } from './config/schedule';
export type {
  AskAiConfig,
  AuditConfig,
  CacheConfig,
  ChunkingConfig,
  EmbeddingConfig,
  IndexConfig,
  LanguageModelConfig,
  OpenAiConfig,
  PermissionsConfig,
  PostgresConfig,
  QuestionsConfig,
  RateLimitConfig,
  ResilienceConfig,
  VectorIndexConfig,
  VectorStoreConfig,
  VectorStoreType,
} from './config/types';

/** The plugin's configuration: read and checked once, at start. */
export class ConfigService {
  /**
   * @param config - Backstage's root configuration.
   * @param modules - ids that modules of other packages registered.
   * @param variables - of the process: the key of encrypted texts is among them.
   * @throws ConfigurationError with every problem of the `askAi` block, one sentence each.
   */
  static fromConfig(
    config: Config,
    modules: ModuleIds = {},
    variables: Readonly<Record<string, string | undefined>> = process.env,
  ): ConfigService {
    const databaseClient = config.getOptional('backend.database.client');
    const cacheStore = config.getOptional('backend.cache.store');
    return new ConfigService(
      readAskAiConfig(config.getOptional('askAi'), {
        databaseClient: typeof databaseClient === 'string' ? databaseClient : undefined,
        cacheStore: typeof cacheStore === 'string' ? cacheStore : undefined,
        modules,
        secretKey: variables[KEY_VARIABLE],
      }),
    );
  }

  private constructor(private readonly askAi: AskAiConfig) {}

  getConfig(): AskAiConfig {
    return this.askAi;
  }

  /**
   * `askAi.vectorStore.type`; else `postgresql` when the postgresql block describes a server or
   * Backstage's own data lies in PostgreSQL; else `embedded`.
   */
  getVectorStoreType(): VectorStoreType {
    return this.askAi.vectorStore.type;
  }

  getVectorStoreConfig(): VectorStoreConfig {
    return this.askAi.vectorStore;
  }

  /** @throws ConfigurationError when `askAi.vectorStore.postgresql` describes no server. */
  getPostgresConfig(): PostgresConfig {
    const { postgresql } = this.askAi.vectorStore;
    if (!postgresql) {
      throw new ConfigurationError([
        'Expected askAi.vectorStore.postgresql to be an object with host, database, user and password, or with connectionString, got none of them',
      ]);
    }
    return postgresql;
  }

  /** Of the server that is described, or of Backstage's own database. */
  getVectorIndexConfig(): VectorIndexConfig {
    return this.askAi.vectorStore.index;
  }

  /** Of PostgreSQL, on a server and embedded; left out: as the store has it. */
  getTextSearchConfig(): string | undefined {
    return this.askAi.vectorStore.textSearchConfig;
  }

  /** Of the server; the other stores are part of this process. */
  getResilienceConfig(): ResilienceConfig {
    return this.askAi.vectorStore.resilience;
  }

  /** From which time on a search is logged with its plan; 0: never. */
  getSlowQueryMillis(): number {
    return this.askAi.vectorStore.slowQueryMillis;
  }

  /** Between two probes; 0: only whoever asks for the health makes one. */
  getHealthCheckIntervalMs(): number {
    return this.askAi.healthCheckIntervalMs;
  }

  /** Milliseconds. */
  getShutdownTimeoutMillis(): number {
    return this.askAi.shutdownTimeoutMillis;
  }

  getEmbeddingConfig(): EmbeddingConfig {
    return this.askAi.embedding;
  }

  getLanguageModelConfig(): LanguageModelConfig {
    return this.askAi.llm;
  }

  /** Without a slash at the end. */
  getOllamaBaseUrl(): string {
    return this.askAi.ollamaBaseUrl;
  }

  getOpenAiConfig(): OpenAiConfig {
    return this.askAi.openai;
  }

  getDefaultTopK(): number {
    return this.askAi.defaultTopK;
  }

  getChunkingConfig(): ChunkingConfig {
    const { chunkSize, chunkOverlap } = this.askAi;
    return { chunkSize, chunkOverlap };
  }

  getSchedule(): IndexSchedule {
    return this.askAi.schedule;
  }

  getIndexConfig(): IndexConfig {
    return this.askAi.index;
  }

  getPermissionsConfig(): PermissionsConfig {
    return this.askAi.permissions;
  }

  getRateLimitConfig(): RateLimitConfig {
    return this.askAi.rateLimit;
  }

  getQuestionsConfig(): QuestionsConfig {
    return this.askAi.questions;
  }

  getCacheConfig(): CacheConfig {
    return this.askAi.cache;
  }

  getAuditConfig(): AuditConfig {
    return this.askAi.audit;
  }
}
