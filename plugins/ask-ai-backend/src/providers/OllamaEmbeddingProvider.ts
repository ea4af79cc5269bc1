import type { EmbeddingProvider, EmbedOptions, EmbedResult } from 'backstage-plugin-ask-ai-node';
import { ProviderError } from '../errors';
import { vectorsOfAnswer } from './embeddingAnswer';
import type { ModelServer } from './modelServer';
import { createOllamaServer, type OllamaServerOptions, ollamaClient } from './ollamaServer';
import { prefixesOf } from './purposePrefixes';
import { callServer } from './serverCall';

/** Options of an embedding model on Ollama. */
export interface OllamaEmbeddingOptions extends OllamaServerOptions {
  /** As `ollama list` shows it, for example `all-minilm`. */
  model: string;
  /** Asks the model for shorter vectors than it has by itself; few models can do it. */
  dimensions?: number;
  /** Default 16: a few seconds of work on a CPU, so that an abort does not leave much behind. */
  maxTextsPerCall?: number;
  /** Default 2: the model is busy while the next batch is on its way. */
  maxParallelCalls?: number;
}

/** Embeds with a model on an Ollama server. */
export class OllamaEmbeddingProvider implements EmbeddingProvider {
  readonly provider = 'ollama';
  readonly model: string;
  readonly maxTextsPerCall: number;
  readonly maxParallelCalls: number;
  private knownDimensions: number | undefined;

  private constructor(
    private readonly server: ModelServer,
    private readonly options: OllamaEmbeddingOptions,
  ) {
    this.model = options.model;
    this.maxTextsPerCall = options.maxTextsPerCall ?? 16;
    this.maxParallelCalls = options.maxParallelCalls ?? 2;
  }

  static create(options: OllamaEmbeddingOptions): OllamaEmbeddingProvider {
    return new OllamaEmbeddingProvider(
      createOllamaServer(options, 'askAi.embeddingModel'),
      options,
    );
  }

  async dimensions({ signal }: { signal?: AbortSignal } = {}): Promise<number> {
    if (this.knownDimensions === undefined) {
      await this.embed(['dimensions'], { purpose: 'document', signal });
    }
    return this.knownDimensions ?? 0;
  }

  async embed(texts: readonly string[], { purpose, signal }: EmbedOptions): Promise<EmbedResult> {
    if (texts.length === 0) return { vectors: [] };
    const { server, model } = this;
    const { dimensions } = this.options;
    const prefix = prefixesOf(model)[purpose] ?? '';
    const answer = await callServer(server, { model, signal }, request =>
      ollamaClient(server, request).embed({
        model,
        input: texts.map(text => `${prefix}${text}`),
        // Required because Ollama otherwise drops the end of a long text without a word.
        truncate: false,
        dimensions,
      }),
    );
    const vectors = vectorsOfAnswer(server, answer?.embeddings, {
      count: texts.length,
      dimensions,
    });
    this.knownDimensions ??= vectors[0]?.length;
    return { vectors, tokens: answer.prompt_eval_count };
  }

  async check({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const { server, model } = this;
    const { capabilities } = await callServer(server, { model, signal }, request =>
      ollamaClient(server, request).show({ model }),
    );
    // Older servers do not tell.
    if (capabilities && !capabilities.includes('embedding')) {
      throw new ProviderError(
        `The model ${model} on Ollama at ${server.url} does not embed: set askAi.embeddingModel to one that does, for example all-minilm`,
        { provider: this.provider, url: server.url, isRetryable: false },
      );
    }
  }
}
