import type { EmbeddingSpace } from 'backstage-plugin-ask-ai-node';
import { ConfigurationError, EmbeddingSpaceMismatchError } from '../errors';

/** Of a store that was given no space only the dimensions are known; the rest may be anything. */
export type KnownSpace = Pick<EmbeddingSpace, 'dimensions'> & Partial<EmbeddingSpace>;

/** Whether vectors of both may be compared; the version of the chunker makes no difference. */
export function isSameSpace(
  stored: KnownSpace,
  { provider, model, dimensions }: EmbeddingSpace,
): boolean {
  return (
    (stored.provider ?? provider) === provider &&
    (stored.model ?? model) === model &&
    stored.dimensions === dimensions
  );
}

/** @throws EmbeddingSpaceMismatchError when vectors of both may not be compared. */
export function assertSameSpace(stored: KnownSpace, space: EmbeddingSpace): void {
  if (!isSameSpace(stored, space)) {
    throw new EmbeddingSpaceMismatchError(describeSpace(stored), describeSpace(space));
  }
}

/** @throws ConfigurationError when the dimensions are no whole number of at least 1. */
export function assertDimensions(dimensions: number): void {
  if (!Number.isInteger(dimensions) || dimensions < 1) {
    throw new ConfigurationError([
      `Expected the dimensions of the vector store to be an integer of at least 1, got ${dimensions}`,
    ]);
  }
}

/** For messages. */
export function describeSpace({ provider, model, dimensions }: KnownSpace): string {
  return provider === undefined
    ? `an unknown model (${dimensions} dimensions)`
    : `${provider}/${model} (${dimensions} dimensions)`;
}
