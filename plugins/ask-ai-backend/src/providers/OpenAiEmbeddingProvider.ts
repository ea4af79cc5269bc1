import type { EmbeddingProvider, EmbedOptions, EmbedResult } from 'backstage-plugin-ask-ai-node';
import { vectorsOfAnswer } from './embeddingAnswer';
import {
  createOpenAiServer,
  type OpenAiServer,
  type OpenAiServerOptions,
  openAiClient,
} from './openAiServer';
import { prefixesOf } from './purposePrefixes';
import { callServer } from './serverCall';
import { faultyAnswer } from './serverFaults';

/** Options of an embedding model behind OpenAI's protocol. */
export interface OpenAiEmbeddingOptions extends OpenAiServerOptions {
  /** For example `text-embedding-3-small`. */
  model: string;
  /** Asks for shorter vectors than the model has by itself; few models can do it. */
  dimensions?: number;
  /** Default 32: the least of the limits that servers of this protocol are known to have. */
  maxTextsPerCall?: number;
  /** Default 4. */
  maxParallelCalls?: number;
}

/** Embeds with a model on any server that speaks OpenAI's protocol. */
export class OpenAiEmbeddingProvider implements EmbeddingProvider {
  readonly provider = 'openai';
  readonly model: string;
  readonly maxTextsPerCall: number;
  readonly maxParallelCalls: number;
  private knownDimensions: number | undefined;

  private constructor(
    private readonly server: OpenAiServer,
    private readonly options: OpenAiEmbeddingOptions,
  ) {
    this.model = options.model;
    this.maxTextsPerCall = options.maxTextsPerCall ?? 32;
    this.maxParallelCalls = options.maxParallelCalls ?? 4;
  }

  static create(options: OpenAiEmbeddingOptions): OpenAiEmbeddingProvider {
    return new OpenAiEmbeddingProvider(
      createOpenAiServer(options, 'askAi.embeddingModel'),
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
      openAiClient(server, request).embeddings.create({
        model,
        input: texts.map(text => `${prefix}${text}`),
        // A quarter of the bytes. Given here, because the client decodes it only when it is not, and
        // fails on servers that answer with numbers all the same.
        encoding_format: 'base64',
        ...(dimensions === undefined ? {} : { dimensions }),
      }),
    );
    const vectors = vectorsOfAnswer(server, this.inOrder(answer?.data), {
      count: texts.length,
      dimensions,
    });
    this.knownDimensions ??= vectors[0]?.length;
    return { vectors, tokens: answer.usage?.total_tokens };
  }

  /** Embeds a word: the only question that every server of this protocol answers. */
  async check({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    await this.embed(['check'], { purpose: 'query', signal });
  }

  /** Each embedding says which text it belongs to. */
  private inOrder(data: unknown): unknown {
    if (!Array.isArray(data)) return undefined;
    const entries: { index?: number; embedding?: unknown }[] = data.map(entry => entry ?? {});
    if (entries.some(({ index }) => index === undefined)) {
      return entries.map(({ embedding }) => embedding);
    }
    const byIndex = new Map(entries.map(({ index, embedding }) => [index, embedding]));
    if (byIndex.size < entries.length) {
      throw faultyAnswer(this.server, 'two embeddings for one text');
    }
    return entries.map((_, index) => byIndex.get(index));
  }
}
