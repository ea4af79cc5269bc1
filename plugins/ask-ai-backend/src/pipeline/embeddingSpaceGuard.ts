import type { EmbeddingProvider, IVectorStore } from 'backstage-plugin-ask-ai-node';
import { EmbeddingSpaceMismatchError } from '../errors';
import { CHUNKER_VERSION } from './chunk';

/** A verdict is believed for this long, in milliseconds: another replica may change the space. */
const BELIEVED_FOR_MS = 5_000;

/** Keeps vectors of different models apart: what is stored must come from the configured model. */
export class EmbeddingSpaceGuard {
  private matchedAt = Number.NEGATIVE_INFINITY;

  private constructor(
    private readonly options: { store: IVectorStore; embeddingProvider: EmbeddingProvider },
  ) {}

  static create(options: {
    store: IVectorStore;
    embeddingProvider: EmbeddingProvider;
  }): EmbeddingSpaceGuard {
    return new EmbeddingSpaceGuard(options);
  }

  /**
   * Makes the store ready for the configured model, which is asked for its dimensions.
   *
   * @throws EmbeddingSpaceMismatchError when the store is filled by another model.
   */
  async claim({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const { store, embeddingProvider } = this.options;
    const dimensions = await embeddingProvider.dimensions({ signal });
    const { provider, model } = embeddingProvider;
    await store.useEmbeddingSpace({ provider, model, dimensions, chunkerVersion: CHUNKER_VERSION });
    this.matchedAt = performance.now();
  }

  /**
   * @throws EmbeddingSpaceMismatchError when a search would compare vectors of different models.
   */
  async assertMatches(): Promise<void> {
    if (performance.now() - this.matchedAt < BELIEVED_FOR_MS) {
      return;
    }
    const { store, embeddingProvider } = this.options;
    const stored = await store.embeddingSpace();
    if (
      stored &&
      (stored.provider !== embeddingProvider.provider ||
        stored.model !== embeddingProvider.model) &&
      (await store.count()) > 0
    ) {
      throw new EmbeddingSpaceMismatchError(
        `${stored.provider}/${stored.model} (${stored.dimensions} dimensions)`,
        `${embeddingProvider.provider}/${embeddingProvider.model}`,
      );
    }
    this.matchedAt = performance.now();
  }
}
