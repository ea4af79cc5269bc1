import type { EmbeddingProvider, LanguageModel } from 'backstage-plugin-ask-ai-node';
import { LexicalEmbeddingProvider } from './providers/LexicalEmbeddingProvider';
import type { OpenAiServerOptions } from './providers/openAiServer';
import type { ConfigService } from './services/ConfigService';

// Vendors' clients are loaded when they are chosen: together they take a third of a second.

/** The embedding model that the configuration names. */
export async function createEmbeddingProvider(config: ConfigService): Promise<EmbeddingProvider> {
  const {
    provider,
    model = '',
    dimensions,
    batchSize,
    maxParallelCalls,
    timeoutMs,
  } = config.getEmbeddingConfig();
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
