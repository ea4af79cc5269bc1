import type { BackendPluginRegistrationPoints } from '@backstage/backend-plugin-api';
import {
  askAiCollectorsExtensionPoint,
  askAiEmbeddingProvidersExtensionPoint,
  askAiLanguageModelsExtensionPoint,
  askAiVectorStoresExtensionPoint,
  type Collector,
  type EmbeddingProviderFactory,
  type LanguageModelFactory,
  type VectorStoreProvider,
} from 'backstage-plugin-ask-ai-node';

/** What modules of other packages brought, by id. */
export interface Extensions {
  embeddingProviders: ReadonlyMap<string, EmbeddingProviderFactory>;
  languageModels: ReadonlyMap<string, LanguageModelFactory>;
  vectorStores: ReadonlyMap<string, VectorStoreProvider>;
  collectors: readonly Collector[];
}

/** Registers the extension points. What modules add is there when the plugin starts. */
export function registerExtensionPoints(
  env: Pick<BackendPluginRegistrationPoints, 'registerExtensionPoint'>,
): Extensions {
  const embeddingProviders = new Map<string, EmbeddingProviderFactory>();
  const languageModels = new Map<string, LanguageModelFactory>();
  const vectorStores = new Map<string, VectorStoreProvider>();
  const collectors: Collector[] = [];
  env.registerExtensionPoint(askAiEmbeddingProvidersExtensionPoint, {
    addEmbeddingProvider: factory =>
      add('embedding provider', embeddingProviders, factory, ['ollama', 'openai', 'lexical']),
  });
  env.registerExtensionPoint(askAiLanguageModelsExtensionPoint, {
    addLanguageModel: factory =>
      add('language model', languageModels, factory, ['ollama', 'openai', 'extractive']),
  });
  env.registerExtensionPoint(askAiVectorStoresExtensionPoint, {
    addVectorStore: provider =>
      add('vector store', vectorStores, provider, ['memory', 'embedded', 'postgresql']),
  });
  env.registerExtensionPoint(askAiCollectorsExtensionPoint, {
    addCollector: collector => {
      collectors.push(collector);
    },
  });
  return { embeddingProviders, languageModels, vectorStores, collectors };
}

function add<T extends { id: string }>(
  what: string,
  known: Map<string, T>,
  extension: T,
  builtIn: readonly string[],
): void {
  const { id } = extension;
  if (builtIn.includes(id) || known.has(id)) {
    throw new Error(`There is already a ${what} of the id ${id}: give this one another`);
  }
  known.set(id, extension);
}
