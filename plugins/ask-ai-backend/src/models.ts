import type {
  EmbeddingProvider,
  EmbeddingSpace,
  LanguageModel,
} from 'backstage-plugin-ask-ai-node';
import { ConfigurationError } from './errors';
import { LexicalEmbeddingProvider } from './providers/LexicalEmbeddingProvider';
import type { OpenAiServerOptions } from './providers/openAiServer';
import type { ConfigService } from './services/ConfigService';
import type { EmbeddingConfig } from './services/config/types';

// Vendors' clients are loaded when they are chosen: together they take a third of a second.

/** The embedding model that the configuration names. */
export function createEmbeddingProvider(config: ConfigService): Promise<EmbeddingProvider> {
  return openEmbeddingProvider(config, config.getEmbeddingConfig());
}

/**
 * What the configuration reaches of the model that a store was embedded by: another model of the same
 * servers.
 *
 * @throws ConfigurationError for a provider that is not one of the plugin's.
 */
export async function createProviderOf(
  space: EmbeddingSpace,
  config: ConfigService,
): Promise<EmbeddingProvider> {
  const { model, dimensions } = space;
  const provider = EMBEDDERS.find(name => name === space.provider);
  if (!provider) {
    throw new ConfigurationError([
      `The index was embedded by ${space.provider}/${model}, which is not configured any more: set the configuration back`,
    ]);
  }
  const embedding = { ...config.getEmbeddingConfig(), provider, model, dimensions: undefined };
  const full = await openEmbeddingProvider(config, embedding);
  // A model that can be cut short was, and one that can't refuses to be asked.
  return (await full.dimensions()) === dimensions
    ? full
    : openEmbeddingProvider(config, { ...embedding, dimensions });
}

const EMBEDDERS = ['lexical', 'ollama', 'openai'] as const satisfies EmbeddingConfig['provider'][];

async function openEmbeddingProvider(
  config: ConfigService,
  { provider, model = '', dimensions, batchSize, maxParallelCalls, timeoutMs }: EmbeddingConfig,
): Promise<EmbeddingProvider> {
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
  }
}

/** The language model that the configuration names; none when answers are extracted. */
export async function createLanguageModel(
  config: ConfigService,
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
  }
}

function openAiServer(config: ConfigService): OpenAiServerOptions {
  const { baseUrl, apiKey, headers, apiVersion, proxy } = config.getOpenAiConfig();
  return { baseUrl, apiKey, headers, apiVersion, proxyUrl: proxy };
}
