/**
 * ask-ai: answers engineers' questions from the software catalog and TechDocs.
 *
 * @packageDocumentation
 */

export type {
  DocumentChunk,
  SearchFilter,
  SearchResult,
} from 'backstage-plugin-ask-ai-common';
export type { EmbeddingVector, IVectorStore } from 'backstage-plugin-ask-ai-node';
export * from './errors';
export { askAiPlugin as default } from './plugin';
export { CachedVectorStore, type CachedVectorStoreOptions } from './services/CachedVectorStore';
export type {
  AskAiConfig,
  PostgresConfig,
  VectorIndexConfig,
  VectorStoreConfig,
  VectorStoreType,
} from './services/ConfigService';
export { ConfigService } from './services/ConfigService';
export { InMemoryVectorStore } from './services/InMemoryVectorStore';
export { PgVectorStore, type PgVectorStoreOptions } from './services/PgVectorStore';
export {
  type ResilienceFigures,
  type ResilienceOptions,
  ResilientVectorStore,
} from './services/ResilientVectorStore';
export { VectorStoreFactory } from './services/VectorStoreFactory';
