import type { EmbeddingProvider, EmbedOptions, EmbedResult } from 'backstage-plugin-ask-ai-node';
import type { Telemetry } from '../lib/telemetry/Telemetry';

/** An embedding model whose calls are measured and traced. */
export class MeasuredEmbeddingProvider implements EmbeddingProvider {
  private constructor(
    private readonly inner: EmbeddingProvider,
    private readonly telemetry: Telemetry,
  ) {}

  static create(inner: EmbeddingProvider, telemetry: Telemetry): MeasuredEmbeddingProvider {
    return new MeasuredEmbeddingProvider(inner, telemetry);
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
    const { provider } = this;
    const { purpose } = options;
    this.telemetry.record('ask_ai.embed.batch.size', texts.length, { provider, purpose });
    return this.telemetry.measure(
      'ask_ai.embed',
      { 'ask_ai.provider': provider, 'ask_ai.purpose': purpose, 'ask_ai.texts': texts.length },
      () => this.inner.embed(texts, options),
      (seconds, outcome) =>
        this.telemetry.record('ask_ai.embed.duration', seconds, { provider, purpose, outcome }),
    );
  }

  check(options?: { signal?: AbortSignal }): Promise<void> {
    return this.inner.check(options);
  }
}
