import type { LoggerService } from '@backstage/backend-plugin-api';
import type { EmbeddingProvider, EmbeddingSpace, IVectorStore } from 'backstage-plugin-ask-ai-node';
import { EmbeddingSpaceMismatchError } from '../errors';
import { describeSpace } from '../lib/embeddingSpace';
import type { RunStore } from '../types';
import { CHUNKER_VERSION } from './chunk';
import { type ReembedHooks, reembedStore } from './reembedStore';

/** What is known of the store is believed for this long, in milliseconds: others may change it. */
const BELIEVED_FOR_MS = 5_000;

/** What questions are embedded by, and the space that gives. */
export interface QuestionEmbedding {
  provider: EmbeddingProvider;
  /** Absent where nobody said what is stored. */
  space?: EmbeddingSpace;
  /** Nothing is stored, so that any question may be answered without a look. */
  isEmpty?: boolean;
}

export interface EmbeddingSpacesOptions {
  store: IVectorStore;
  runs: RunStore;
  /** The configured model. */
  embeddingProvider: EmbeddingProvider;
  /** As the configuration sets them. */
  dimensions?: number;
  /** What the configuration reaches of the model that a space is of. */
  providerOf(space: EmbeddingSpace): Promise<EmbeddingProvider>;
  onModelChange: 'refuse' | 'reembed';
  logger: LoggerService;
}

/**
 * Keeps vectors of different models apart: what is stored comes from one model, and questions are embedded
 * by the same one.
 *
 * When the configuration names another model than the store is of, searches are refused, or, with
 * `onModelChange: reembed`, served by the stored model until the next run has taken the store to the
 * configured one. A process whose model the store was of, and which somebody has taken to another one
 * since, follows: its questions are embedded by that one, and it indexes nothing until it is restarted with
 * the new configuration, rather than taking the store back.
 */
export class EmbeddingSpaces {
  private known: { embedding: QuestionEmbedding; at: number } | undefined;
  private other: { space: string; provider: Promise<EmbeddingProvider> } | undefined;
  private hasMatched = false;

  private constructor(private readonly options: EmbeddingSpacesOptions) {}

  static create(options: EmbeddingSpacesOptions): EmbeddingSpaces {
    return new EmbeddingSpaces(options);
  }

  /**
   * What questions are to be embedded by now.
   *
   * @throws EmbeddingSpaceMismatchError when nothing that is configured fits what is stored.
   */
  async forQuestions(): Promise<QuestionEmbedding> {
    if (this.known && performance.now() - this.known.at < BELIEVED_FOR_MS) {
      return this.known.embedding;
    }
    const embedding = await this.decide();
    // The first run may fill the store at any moment.
    this.known = embedding.isEmpty ? undefined : { embedding, at: performance.now() };
    return embedding;
  }

  /** A search was refused: the store is of another space than a moment ago. */
  forget(): void {
    this.known = undefined;
  }

  /**
   * Makes the store ready for vectors of the configured model, which is asked for its dimensions. What is
   * stored is embedded anew where the configuration says so.
   *
   * @returns the space that the store is of.
   * @throws EmbeddingSpaceMismatchError when the store is filled by another model.
   */
  async claim(hooks: ReembedHooks = {}): Promise<EmbeddingSpace> {
    const { store, embeddingProvider, onModelChange } = this.options;
    const space = await spaceOf(embeddingProvider, { signal: hooks.signal });
    try {
      await store.useEmbeddingSpace(space);
    } catch (error) {
      if (!isMismatch(error) || onModelChange === 'refuse' || this.hasMatched) {
        throw error;
      }
      await reembedStore(space, this.options, hooks);
    }
    this.hasMatched = true;
    this.forget();
    return space;
  }

  private async decide(): Promise<QuestionEmbedding> {
    const { store, embeddingProvider, onModelChange } = this.options;
    const space = await store.embeddingSpace();
    if (space && this.isConfigured(space)) {
      this.hasMatched = true;
      return { provider: embeddingProvider, space };
    }
    const isEmpty = (await store.count()) === 0;
    if (!space || isEmpty) {
      return { provider: embeddingProvider, isEmpty };
    }
    if (onModelChange === 'refuse' && !this.hasMatched) {
      const { provider, model } = embeddingProvider;
      throw new EmbeddingSpaceMismatchError(describeSpace(space), `${provider}/${model}`);
    }
    return { provider: await this.otherProvider(space), space };
  }

  private isConfigured({ provider, model, dimensions }: EmbeddingSpace): boolean {
    const { embeddingProvider, dimensions: configured = dimensions } = this.options;
    return (
      provider === embeddingProvider.provider &&
      model === embeddingProvider.model &&
      dimensions === configured
    );
  }

  /** Made once for a space, unless that fails. */
  private otherProvider(space: EmbeddingSpace): Promise<EmbeddingProvider> {
    const name = describeSpace(space);
    if (this.other?.space !== name) {
      this.options.logger.info(
        `Questions are embedded by ${name}, which the index is of, and not by the configured model`,
      );
      const provider = this.options.providerOf(space);
      provider.catch(() => {
        this.other = undefined;
      });
      this.other = { space: name, provider };
    }
    return this.other.provider;
  }
}

/** The space of what a provider gives; the model may be asked for its dimensions. */
export async function spaceOf(
  embeddingProvider: EmbeddingProvider,
  options: { signal?: AbortSignal } = {},
): Promise<EmbeddingSpace> {
  const { provider, model } = embeddingProvider;
  const dimensions = await embeddingProvider.dimensions(options);
  return { provider, model, dimensions, chunkerVersion: CHUNKER_VERSION };
}

/** By name: stores of other packages have their own classes. */
export function isMismatch(error: unknown): boolean {
  return error instanceof Error && error.name === 'EmbeddingSpaceMismatchError';
}
