import { createHash } from 'node:crypto';
import type { EmbeddingProvider, EmbedOptions, EmbedResult } from 'backstage-plugin-ask-ai-node';
import { decodeVectorBase64, encodeVectorBase64 } from '../lib/base64Vector';
import { type SharedCache, SharedTier } from '../lib/cache/SharedTier';
import { type CacheBounds, type CacheFigures, TwoTierCache } from '../lib/cache/TwoTierCache';

/** How the embeddings of questions are cached. */
export interface CachedEmbeddingProviderOptions extends CacheBounds {
  /** Backstage's cache service where it is one that all replicas share; left out: this process alone. */
  cache?: SharedCache;
  /** For one call of `cache`; beyond it the model is asked. Milliseconds. */
  timeoutMs: number;
  /** As the configuration sets them: a model that can be cut short gives another vector for each. */
  dimensions?: number;
}

/**
 * An embedding model that is not asked again for a question that it embedded a short while ago. Equal
 * questions at once are one call, which ends when nobody waits for it any more. Failures, useless vectors
 * and documents are not kept.
 */
export class CachedEmbeddingProvider implements EmbeddingProvider {
  private readonly questions: TwoTierCache<EmbedResult>;
  private readonly space: string;

  private constructor(
    private readonly inner: EmbeddingProvider,
    { cache, timeoutMs, dimensions, ...bounds }: CachedEmbeddingProviderOptions,
  ) {
    this.space = JSON.stringify([inner.provider, inner.model, dimensions ?? null]);
    this.questions = new TwoTierCache({
      ...bounds,
      shared: cache && SharedTier.create({ cache, timeoutMs }),
      encode: ({ vectors: [vector = []] }) => encodeVectorBase64(vector),
      decode: text => {
        const vector = decodeVectorBase64(text);
        return vector && { vectors: [vector] };
      },
    });
  }

  static create(
    inner: EmbeddingProvider,
    options: CachedEmbeddingProviderOptions,
  ): CachedEmbeddingProvider {
    return new CachedEmbeddingProvider(inner, options);
  }

  /** How often the cache answered, counted since the start. */
  get figures(): Readonly<CacheFigures> {
    return this.questions.figures;
  }

  get provider(): string {
    return this.inner.provider;
  }

  get model(): string {
    return this.inner.model;
  }

  get maxTextsPerCall(): number {
    return this.inner.maxTextsPerCall;
  }

  get maxParallelCalls(): number {
    return this.inner.maxParallelCalls;
  }

  dimensions(options?: { signal?: AbortSignal }): Promise<number> {
    return this.inner.dimensions(options);
  }

  embed(texts: readonly string[], options: EmbedOptions): Promise<EmbedResult> {
    const [text, ...others] = texts;
    if (options.purpose !== 'query' || text === undefined || others.length > 0) {
      return this.inner.embed(texts, options);
    }
    const name = createHash('sha256').update(`${this.space}\n${text}`).digest('base64url');
    return this.questions.get({
      key: name,
      sharedKey: `embedding:${name}`,
      load: signal => this.inner.embed([text], { ...options, signal }),
      isKept: isUsable,
      signal: options.signal,
    });
  }

  check(options?: { signal?: AbortSignal }): Promise<void> {
    return this.inner.check(options);
  }
}

/** One vector of finite numbers that are not all zero. */
function isUsable({ vectors }: EmbedResult): boolean {
  const [vector] = vectors;
  return (
    vectors.length === 1 &&
    vector !== undefined &&
    vector.every(Number.isFinite) &&
    vector.some(number => number !== 0)
  );
}
