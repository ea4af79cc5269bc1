import { setMaxListeners } from 'node:events';
import type { EmbeddingProvider, EmbedOptions } from 'backstage-plugin-ask-ai-node';
import { DimensionMismatchError, ProviderError } from '../errors';
import { type Clock, type RetryPolicy, retry } from '../lib/retry';
import { halvesOf, meanDirection } from './embedPieces';

export interface EmbedTextsOptions {
  /** Decides how patiently a failing server is tried again, too. */
  purpose: EmbedOptions['purpose'];
  /** Of the store. Default: what the first answer has. */
  expectedDimensions?: number;
  signal?: AbortSignal;
  /** Called after every batch with the number of texts that are done. */
  onProgress?(textsDone: number): void;
  /** Default, and at most: what the provider allows. */
  maxParallelCalls?: number;
  /** For tests. */
  clock?: Clock;
  /** For tests. From 0 to below 1. */
  random?: () => number;
}

/** What became of one text. */
export type EmbedOutcome = { vector: Float32Array } | { error: Error };

export interface EmbedTextsResult {
  /** In the order of the texts. */
  results: EmbedOutcome[];
  /** What the provider counted, 0 where it does not tell. */
  tokens: number;
}

/** An index run can wait for a server that restarts or loads a model. */
const DOCUMENT_RETRIES: RetryPolicy = {
  maxAttempts: 5,
  baseDelayMs: 500,
  maxDelayMs: 20_000,
  maxRetryAfterMs: 60_000,
  deadlineMs: 180_000,
};

/** A person waits: one more call, for a connection that was closed while it was idle. */
const QUERY_RETRIES: RetryPolicy = {
  maxAttempts: 2,
  baseDelayMs: 100,
  maxDelayMs: 1_000,
  maxRetryAfterMs: 1_000,
  deadlineMs: 5_000,
};

/** For the parts of a batch that failed although the server works: they fail for good, mostly. */
const ATTEMPTS_OF_A_PART = 2;

/** A text that every working model can embed. */
const PROBE = 'ping';

/** The only answers of 4xx that can be the fault of a text; the others are about settings. */
const STATUSES_ABOUT_TEXTS = [400, 413, 422];

/**
 * Embeds texts of any number and length: in batches of the provider's size, some at once, in order,
 * each tried again while its error says that this may help.
 *
 * - A text that is too long for the model is halved at white space, as often as it takes, and gets
 *   the direction of the mean of its pieces. The result depends on the text and the model alone.
 * - When a batch fails for good, a harmless text is embedded. If that works, the fault lies in a text
 *   of the batch: it is halved until the guilty text is alone, and only that one gets an error.
 * - Everything else is a fault of the server or its settings and rejects the whole call: nobody there,
 *   401, 403, 404, a model of another dimension, or a harmless text that fails as well.
 *
 * @throws ProviderError; DimensionMismatchError from the model; the signal's reason, at once.
 */
export async function embedTexts(
  provider: EmbeddingProvider,
  texts: readonly string[],
  options: EmbedTextsOptions,
): Promise<EmbedTextsResult> {
  const stop = new AbortController();
  const abort = () => stop.abort(options.signal?.reason);
  options.signal?.throwIfAborted();
  options.signal?.addEventListener('abort', abort);
  // Each call that is under way listens.
  setMaxListeners(0, stop.signal);
  const embedder = new BatchEmbedder(provider, options, stop.signal);
  const results = new Array<EmbedOutcome>(texts.length);
  const batches = batchStarts(texts.length, provider.maxTextsPerCall);
  let textsDone = 0;
  const work = async () => {
    for (let start = batches.shift(); start !== undefined; start = batches.shift()) {
      const batch = texts.slice(start, start + provider.maxTextsPerCall);
      const outcomes = await embedder.embed(batch);
      outcomes.forEach((outcome, index) => {
        results[start + index] = outcome;
      });
      textsDone += batch.length;
      options.onProgress?.(textsDone);
    }
  };
  const { maxParallelCalls = provider.maxParallelCalls } = options;
  const workers = Math.min(maxParallelCalls, provider.maxParallelCalls, batches.length);
  try {
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    // Required because the other workers go on when one rejects.
    stop.abort();
    options.signal?.removeEventListener('abort', abort);
  }
  return { results, tokens: embedder.tokens };
}

/**
 * Embeds one question.
 *
 * @throws as `embedTexts`, and what is wrong with the question itself.
 */
export async function embedQuery(
  provider: EmbeddingProvider,
  query: string,
  options: Omit<EmbedTextsOptions, 'purpose'> = {},
): Promise<Float32Array> {
  const { results } = await embedTexts(provider, [query], { ...options, purpose: 'query' });
  const [result] = results;
  if (result === undefined || 'error' in result) {
    throw result?.error ?? new Error('No result for the only text');
  }
  return result.vector;
}

class BatchEmbedder {
  tokens = 0;
  private dimensions: number | undefined;
  private readonly policy: RetryPolicy;

  constructor(
    private readonly provider: EmbeddingProvider,
    private readonly options: EmbedTextsOptions,
    private readonly signal: AbortSignal,
  ) {
    this.dimensions = options.expectedDimensions;
    this.policy = options.purpose === 'query' ? QUERY_RETRIES : DOCUMENT_RETRIES;
  }

  /** What became of each text, in order. */
  async embed(
    texts: readonly string[],
    maxAttempts = this.policy.maxAttempts,
  ): Promise<EmbedOutcome[]> {
    try {
      const vectors = await this.call(texts, maxAttempts);
      return vectors.map(vector => ({ vector }));
    } catch (error) {
      this.signal.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      const [text, ...others] = texts;
      if (isInputTooLong(error)) {
        return text !== undefined && others.length === 0
          ? [await this.embedInPieces(text, error)]
          : this.embedParts(texts, maxAttempts);
      }
      await this.throwUnlessAboutATextAlone(error);
      return others.length === 0
        ? [{ error }]
        : this.embedParts(texts, Math.min(maxAttempts, ATTEMPTS_OF_A_PART));
    }
  }

  private async call(texts: readonly string[], maxAttempts: number): Promise<Float32Array[]> {
    const { provider, signal } = this;
    const { purpose, clock, random } = this.options;
    return retry(
      async () => {
        const { vectors, tokens = 0 } = await provider.embed(texts, { purpose, signal });
        this.check(vectors, texts.length);
        this.tokens += tokens;
        return vectors;
      },
      { ...this.policy, maxAttempts, signal, clock, random },
    );
  }

  /** Providers of other packages may not look at what their server answers. */
  private check(vectors: Float32Array[], count: number): void {
    const { provider } = this.provider;
    const fault =
      vectors.length === count
        ? vectors.every(isUsable) || 'a vector of zeros or of numbers that are not finite'
        : `${vectors.length} vectors for ${count} texts`;
    if (fault !== true) {
      throw new ProviderError(`The embedding provider ${provider} gave ${fault}`, {
        provider,
        isRetryable: true,
      });
    }
    for (const { length } of vectors) {
      this.dimensions ??= length;
      if (length !== this.dimensions) {
        throw new DimensionMismatchError(this.dimensions, length, 'model');
      }
    }
  }

  /** A longer and a shorter half: texts that are too long gather in the first. */
  private async embedParts(texts: readonly string[], maxAttempts: number): Promise<EmbedOutcome[]> {
    const order = texts.map((_, index) => index);
    order.sort((a, b) => (texts[b]?.length ?? 0) - (texts[a]?.length ?? 0) || a - b);
    const middle = Math.ceil(order.length / 2);
    const outcomes = new Array<EmbedOutcome>(texts.length);
    for (const part of [order.slice(0, middle), order.slice(middle)]) {
      const ofPart = await this.embed(
        part.map(index => texts[index] ?? ''),
        maxAttempts,
      );
      ofPart.forEach((outcome, index) => {
        outcomes[part[index] ?? 0] = outcome;
      });
    }
    return outcomes;
  }

  private async embedInPieces(text: string, tooLong: Error): Promise<EmbedOutcome> {
    const halves = halvesOf(text);
    if (!halves) {
      await this.throwUnlessAboutATextAlone(tooLong);
      return { error: tooLong };
    }
    const vectors: Float32Array[] = [];
    for (const half of halves) {
      const [outcome] = await this.embed([half]);
      if (outcome === undefined || 'error' in outcome) return outcome ?? { error: tooLong };
      vectors.push(outcome.vector);
    }
    return {
      vector: meanDirection(
        vectors,
        halves.map(({ length }) => length),
      ),
    };
  }

  /** A question is alone in its call: there is nobody to be spared by finding out whose fault it was. */
  private async throwUnlessAboutATextAlone(error: Error): Promise<void> {
    if (!mayBeAboutAText(error) || this.options.purpose === 'query') throw error;
    try {
      await this.call([PROBE], 1);
    } catch {
      this.signal.throwIfAborted();
      throw error;
    }
  }
}

function batchStarts(count: number, size: number): number[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, index) => index * size);
}

function isUsable(vector: Float32Array): boolean {
  // The sum of the squares is finite and not zero unless a number is not, or all are.
  let squares = 0;
  for (let i = 0; i < vector.length; i++) {
    squares += (vector[i] as number) ** 2;
  }
  return Number.isFinite(squares) && squares > 0;
}

/** By name and fields: providers of other packages have their own classes. */
function mayBeAboutAText(error: Error): boolean {
  if (error.name === 'DimensionMismatchError' || isInputTooLong(error)) return true;
  if (error.name !== 'ProviderError') return false;
  const { isRetryable, responseStatus } = error as Partial<ProviderError>;
  return isRetryable === true || STATUSES_ABOUT_TEXTS.includes(responseStatus ?? 0);
}

function isInputTooLong(error: Error): boolean {
  return 'isInputTooLong' in error && error.isInputTooLong === true;
}
