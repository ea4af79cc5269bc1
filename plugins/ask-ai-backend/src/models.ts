import type { EmbeddingProvider, LanguageModel } from 'backstage-plugin-ask-ai-node';
import { LexicalEmbeddingProvider } from './providers/LexicalEmbeddingProvider';
import { OllamaEmbeddingProvider } from './providers/OllamaEmbeddingProvider';
import { OllamaLanguageModel } from './providers/OllamaLanguageModel';
import { OpenAiEmbeddingProvider } from './providers/OpenAiEmbeddingProvider';
import { OpenAiLanguageModel } from './providers/OpenAiLanguageModel';
import type { OpenAiServerOptions } from './providers/openAiServer';
import type { ConfigService } from './services/ConfigService';

/** The embedding model that the configuration names. */
export function createEmbeddingProvider(config: ConfigService): EmbeddingProvider {
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
    case 'ollama':
      return OllamaEmbeddingProvider.create({ ...options, baseUrl: config.getOllamaBaseUrl() });
    case 'openai':
      return OpenAiEmbeddingProvider.create({ ...options, ...openAiServer(config) });
  }
}

/** The language model that the configuration names; none when answers are extracted. */
export function createLanguageModel(config: ConfigService): LanguageModel | undefined {
  const { provider, contextTokens, timeoutMs } = config.getLanguageModelConfig();
  switch (provider) {
    case 'extractive':
      return undefined;
    case 'ollama':
      return OllamaLanguageModel.create({
        baseUrl: config.getOllamaBaseUrl(),
        contextTokens,
        timeoutMs,
      });
    case 'openai':
      return OpenAiLanguageModel.create({ ...openAiServer(config), contextTokens, timeoutMs });
  }
}

function openAiServer(config: ConfigService): OpenAiServerOptions {
  const { baseUrl, apiKey, headers, apiVersion, proxy } = config.getOpenAiConfig();
  return { baseUrl, apiKey, headers, apiVersion, proxyUrl: proxy };
}
