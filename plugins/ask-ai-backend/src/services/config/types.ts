import type { IndexSchedule } from './schedule';
import type { CheckedAskAi } from './schema';

/** Which store holds the index: one of the plugin's, or the id of a module's. */
export type VectorStoreType = 'memory' | 'embedded' | 'postgresql' | ModuleId;

/** What a module of another package registered. The intersection keeps the plugin's own ids in view. */
export type ModuleId = string & {};

type PostgresqlBlock = CheckedAskAi['vectorStore']['postgresql'];

/**
 * How the vector index is built and searched, as `askAi.vectorStore.postgresql.index` describes it.
 * What is left out stays as the index has it.
 */
export type VectorIndexConfig = PostgresqlBlock['index'];

/** A connection to PostgreSQL, as `askAi.vectorStore.postgresql` describes it. */
export type PostgresConfig = NonNullable<PostgresqlBlock['server']> & {
  index: VectorIndexConfig;
  slowQueryMillis: number;
  textSearchConfig?: string;
};

/** How failures of the server are dealt with. All durations in milliseconds. */
export type ResilienceConfig = CheckedAskAi['vectorStore']['resilience'];

/** Where the index lies. */
export interface VectorStoreConfig {
  type: VectorStoreType;
  embedded: {
    /** A folder; relative to the working directory of the backend. */
    directory: string;
  };
  /** There when a server is described; left out: Backstage's own database. */
  postgresql?: PostgresConfig;
  /** Of either database; `memory` and `embedded` make nothing of it. */
  index: VectorIndexConfig;
  /** By what words are made of texts; `memory` makes nothing of it. */
  textSearchConfig?: string;
  /** From which time on a search is logged with its plan; 0: never. `memory` makes nothing of it. */
  slowQueryMillis: number;
  /** Of `postgresql`; the other stores are part of this process. */
  resilience: ResilienceConfig;
}

/** What turns texts into vectors. */
export interface EmbeddingConfig {
  provider: 'ollama' | 'openai' | 'lexical' | ModuleId;
  /** There unless the provider is `lexical`. */
  model?: string;
  /** Left out: what the model gives. */
  dimensions?: number;
  /** Texts in one call; left out: what the provider takes. */
  batchSize?: number;
  /** Calls under way at once; left out: what suits the provider. */
  maxParallelCalls?: number;
  /** For one call. */
  timeoutMs: number;
  /** Cosine similarity from which a passage supports an answer although it uses other words. */
  minSimilarity: number;
  /** What happens when the store was filled by another model. */
  onModelChange: 'refuse' | 'reembed';
}

/** What writes answers. */
export interface LanguageModelConfig {
  provider: 'ollama' | 'openai' | 'extractive' | ModuleId;
  /** There unless the provider is `extractive`. */
  defaultModel?: string;
  /** What a request may choose from; empty when the provider is `extractive`. */
  allowedModels: string[];
  /** Tokens that prompt and answer may have together. */
  contextTokens: number;
  /** How long the model may be silent before and between the pieces of an answer. */
  timeoutMs: number;
}

/** A server that speaks OpenAI's protocol. */
export type OpenAiConfig = CheckedAskAi['openai'];

/** How documents are cut. */
export interface ChunkingConfig {
  /** Tokens. */
  chunkSize: number;
  /** Tokens; less than `chunkSize`. */
  chunkOverlap: number;
}

/** What is indexed. */
export type IndexConfig = Omit<CheckedAskAi['index'], 'excludeKinds'> & { excludeKinds: string[] };

/** How long it may take to find out what a caller may read. */
export type PermissionsConfig = CheckedAskAi['permissions'];

/** How often one user may call; 0 is without a limit. */
export type RateLimitConfig = CheckedAskAi['rateLimit'];

/** What is remembered of questions. */
export type QuestionsConfig = CheckedAskAi['questions'];

/** What audit events tell. */
export type AuditConfig = CheckedAskAi['audit'];

/** What is answered from what was found a short while ago. */
export type CacheConfig = CheckedAskAi['cache'] & {
  /** `backend.cache.store` names one that replicas share; the one in memory is unbounded and shared by nobody. */
  isShared: boolean;
};

/** Everything under `askAi`, checked, with every default. */
export interface AskAiConfig extends ChunkingConfig {
  /** There when a language model answers. */
  defaultModel?: string;
  allowedModels: string[];
  embeddingModel?: string;
  /** Without a slash at the end. */
  ollamaBaseUrl: string;
  embedding: EmbeddingConfig;
  llm: LanguageModelConfig;
  openai: OpenAiConfig;
  /** How many chunks a search returns that does not say. */
  defaultTopK: number;
  schedule: IndexSchedule;
  index: IndexConfig;
  permissions: PermissionsConfig;
  rateLimit: RateLimitConfig;
  questions: QuestionsConfig;
  audit: AuditConfig;
  cache: CacheConfig;
  vectorStore: VectorStoreConfig;
  /** Between two probes of what the plugin depends on; 0: only when somebody asks. */
  healthCheckIntervalMs: number;
  /** How long requests and the index run may take to end after the backend was told to. */
  shutdownTimeoutMillis: number;
}
