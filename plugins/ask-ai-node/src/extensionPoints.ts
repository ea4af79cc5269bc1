import { createExtensionPoint, type LoggerService } from '@backstage/backend-plugin-api';
import type { Collector } from './collector';
import type { EmbeddingProvider, LanguageModel } from './models';
import type { IVectorStore } from './vectorStore';

/** What `askAi.embedding` says; what is left out is for the provider to choose. */
export interface EmbeddingSettings {
  /** `askAi.embeddingModel`. */
  model?: string;
  dimensions?: number;
  batchSize?: number;
  maxParallelCalls?: number;
  /** For one call. */
  timeoutMs: number;
}

/** Makes an embedding provider, when `askAi.embedding.provider` is its id. */
export interface EmbeddingProviderFactory {
  /** Lower case; also `provider` of what it makes. */
  readonly id: string;
  create(settings: EmbeddingSettings): EmbeddingProvider | Promise<EmbeddingProvider>;
}

/** Further embedding providers. */
export interface AskAiEmbeddingProvidersExtensionPoint {
  /** @throws when the id is taken. */
  addEmbeddingProvider(factory: EmbeddingProviderFactory): void;
}

export const askAiEmbeddingProvidersExtensionPoint =
  createExtensionPoint<AskAiEmbeddingProvidersExtensionPoint>({ id: 'ask-ai.embedding-providers' });

/** What `askAi.llm` says. */
export interface LanguageModelSettings {
  /** Tokens that prompt and answer may have together. */
  contextTokens: number;
  /** How long the model may be silent before and between the pieces of an answer. */
  timeoutMs: number;
}

/** Makes a language model, when `askAi.llm.provider` is its id. Needs `askAi.defaultModel`. */
export interface LanguageModelFactory {
  /** Lower case; also `provider` of what it makes. */
  readonly id: string;
  create(settings: LanguageModelSettings): LanguageModel | Promise<LanguageModel>;
}

/** Further language models. */
export interface AskAiLanguageModelsExtensionPoint {
  /** @throws when the id is taken. */
  addLanguageModel(factory: LanguageModelFactory): void;
}

export const askAiLanguageModelsExtensionPoint =
  createExtensionPoint<AskAiLanguageModelsExtensionPoint>({ id: 'ask-ai.language-models' });

/** Further collectors. */
export interface AskAiCollectorsExtensionPoint {
  /**
   * Adds documents of the collector's source. Where two collectors find the same document, the one that
   * was there first is asked: the plugin's own, then others in the order in which they were added.
   */
  addCollector(collector: Collector): void;
}

export const askAiCollectorsExtensionPoint = createExtensionPoint<AskAiCollectorsExtensionPoint>({
  id: 'ask-ai.collectors',
});

/** What a store is made with. */
export interface VectorStoreSettings {
  logger: LoggerService;
  /** Of an empty store, until `useEmbeddingSpace` says otherwise. */
  dimensions: number;
}

/**
 * Makes a vector store, when `askAi.vectorStore.type` is its id. Runs and questions are then kept in
 * memory. Test it with `describeVectorStore` of `backstage-plugin-ask-ai-node/testUtils`.
 */
export interface VectorStoreProvider {
  /** Lower case. */
  readonly id: string;
  /** The plugin closes what it made. */
  create(settings: VectorStoreSettings): IVectorStore | Promise<IVectorStore>;
}

/** Further vector stores. */
export interface AskAiVectorStoresExtensionPoint {
  /** @throws when the id is taken. */
  addVectorStore(provider: VectorStoreProvider): void;
}

export const askAiVectorStoresExtensionPoint =
  createExtensionPoint<AskAiVectorStoresExtensionPoint>({ id: 'ask-ai.vector-stores' });
