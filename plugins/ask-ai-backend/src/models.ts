import type {
  EmbeddingProvider,
  EmbeddingSpace,
  LanguageModel,
} from 'backstage-plugin-ask-ai-node';
import { ConfigurationError } from './errors';
import type { Extensions } from './extensions';
import type { SharedCache } from './lib/cache/SharedTier';
import { CachedEmbeddingProvider } from './providers/CachedEmbeddingProvider';
import { LexicalEmbeddingProvider } from './providers/LexicalEmbeddingProvider';
import type { OpenAiServerOptions } from './providers/openAiServer';
import type { ConfigService } from './services/ConfigService';
import type { EmbeddingConfig } from './services/config/types';

// Vendors' clients are loaded when they are chosen: together they take a third of a second.

/** Models that modules of other packages bring. */
type ModelExtensions = Partial<Pick<Extensions, 'embeddingProviders' | 'languageModels'>>;

/** The embedding model that the configuration names. */
export function createEmbeddingProvider(
  config: ConfigService,
  extensions: ModelExtensions = {},
): Promise<EmbeddingProvider> {
  return openEmbeddingProvider(config, config.getEmbeddingConfig(), extensions);
}

/**
 * What the configuration reaches of the model that a store was embedded by: another model of the same
 * servers.
 *
 * @throws ConfigurationError for a provider that is neither the plugin's nor a module's.
 */
export async function createProviderOf(
  space: EmbeddingSpace,
  config: ConfigService,
  extensions: ModelExtensions = {},
): Promise<EmbeddingProvider> {
  const { provider, model, dimensions } = space;
  if (!EMBEDDERS.includes(provider) && !extensions.embeddingProviders?.has(provider)) {
    throw new ConfigurationError([
      `The index was embedded by ${space.provider}/${model}, which is not configured any more: set the configuration back`,
    ]);
  }
  const embedding = { ...config.getEmbeddingConfig(), provider, model, dimensions: undefined };
  const full = await openEmbeddingProvider(config, embedding, extensions);
  // A model that can be cut short was, and one that can't refuses to be asked.
  return (await full.dimensions()) === dimensions
    ? full
    : openEmbeddingProvider(config, { ...embedding, dimensions }, extensions);
}

const EMBEDDERS = ['lexical', 'ollama', 'openai'];

async function openEmbeddingProvider(
  config: ConfigService,
  embedding: EmbeddingConfig,
  { embeddingProviders }: ModelExtensions,
): Promise<EmbeddingProvider> {
  const { provider, model = '', dimensions, batchSize, maxParallelCalls, timeoutMs } = embedding;
  const options = { model, dimensions, maxTextsPerCall: batchSize, maxParallelCalls, timeoutMs };
  switch (provider) {
    case 'lexical':
      return LexicalEmbeddingProvider.create({ dimensions });
    case 'ollama': {
      const { OllamaEmbeddingProvider } = await import('./providers/OllamaEmbeddingProvider');
      return OllamaEmbeddingProvider.create({ ...options, baseUrl: config.getOllamaBaseUrl() });
    }
    case 'openai': {
      const { OpenAiEmbeddingProvider } = await import('./providers/OpenAiEmbeddingProvider');
      return OpenAiEmbeddingProvider.create({ ...options, ...openAiServer(config) });
    }
    default:
      return extension('embedding.provider', embeddingProviders, provider).create(embedding);
  }
}

/** The language model that the configuration names; none when answers are extracted. */
export async function createLanguageModel(
  config: ConfigService,
  { languageModels }: ModelExtensions = {},
): Promise<LanguageModel | undefined> {
  const { provider, contextTokens, timeoutMs } = config.getLanguageModelConfig();
  switch (provider) {
    case 'extractive':
      return undefined;
    case 'ollama': {
      const { OllamaLanguageModel } = await import('./providers/OllamaLanguageModel');
      const baseUrl = config.getOllamaBaseUrl();
      return OllamaLanguageModel.create({ baseUrl, contextTokens, timeoutMs });
    }
    case 'openai': {
      const { OpenAiLanguageModel } = await import('./providers/OpenAiLanguageModel');
      return OpenAiLanguageModel.create({ ...openAiServer(config), contextTokens, timeoutMs });
    }
    default:
      return extension('llm.provider', languageModels, provider).create({
        contextTokens,
        timeoutMs,
      });
  }
}

function extension<T>(key: string, known: ReadonlyMap<string, T> | undefined, id: string): T {
  const found = known?.get(id);
  if (!found) {
    throw new ConfigurationError([
      `askAi.${key} is ${id}, which a module of another package brings, but none did`,
    ]);
  }
  return found;
}

function openAiServer(config: ConfigService): OpenAiServerOptions {
  const { baseUrl, apiKey, headers, apiVersion, proxy } = config.getOpenAiConfig();
  return { baseUrl, apiKey, headers, apiVersion, proxyUrl: proxy };
}

/** The same model, which remembers questions where the configuration says so. */
export function cacheQuestions(
  embeddingProvider: EmbeddingProvider,
  config: ConfigService,
  { cache, dimensions }: { cache?: SharedCache; dimensions?: number },
): EmbeddingProvider {
  const { enabled, isShared, embeddingTtlSeconds, ...bounds } = config.getCacheConfig();
  // To embed by counting words takes less than to look it up.
  if (!enabled || embeddingProvider.provider === 'lexical') {
    return embeddingProvider;
  }
  return CachedEmbeddingProvider.create(embeddingProvider, {
    ...bounds,
    ttlMs: embeddingTtlSeconds * 1_000,
    cache: isShared ? cache : undefined,
    dimensions,
  });
}
