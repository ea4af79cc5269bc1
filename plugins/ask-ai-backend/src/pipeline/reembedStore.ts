import type { LoggerService } from '@backstage/backend-plugin-api';
import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import type {
  EmbeddingProvider,
  EmbeddingSpace,
  IVectorStore,
  ReembedOptions,
  ReembedResult,
} from 'backstage-plugin-ask-ai-node';
import { ProviderError } from '../errors';
import { documentName } from '../lib/documentName';
import { describeSpace } from '../lib/embeddingSpace';
import type { RunStore } from '../types';
import { embeddingText } from './chunk';
import { embedTexts } from './embed';

/** So many chunks may fail whatever their share. */
const ALWAYS_ALLOWED = 20;

/** A model that refuses more than this share of the chunks is the wrong one, 0 to 1. */
const MOST_FAILED = 0.05;

/** What a store is re-embedded with. */
export interface ReembedStoreOptions {
  store: IVectorStore;
  runs: RunStore;
  embeddingProvider: EmbeddingProvider;
  logger: LoggerService;
}

/** What goes on while a store is re-embedded. */
export interface ReembedHooks extends ReembedOptions {
  /** Called for each batch, with what it adds. */
  onEmbedded?(counts: { chunks: number; tokens: number }): void;
}

/**
 * Embeds everything that is stored by the configured model, from the stored contents: neither the catalog
 * nor the documentation is read. The store answers by the old model until all is done.
 *
 * A document of which a chunk can't be embedded is written down as failed and taken up again by the next
 * index run; where that is so of many, the call is rejected.
 *
 * @throws ProviderError; ConflictError while the store is loaded or re-embedded; the signal's reason.
 */
export async function reembedStore(
  space: EmbeddingSpace,
  { store, runs, embeddingProvider, logger }: ReembedStoreOptions,
  { onEmbedded, ...options }: ReembedHooks = {},
): Promise<ReembedResult> {
  const before = await store.embeddingSpace();
  logger.info(
    `Embedding what is stored by ${describeSpace(space)}; until that is done, ${before ? describeSpace(before) : 'the old model'} answers`,
  );
  const reasons = new Map<string, string>();
  let handedOut = 0;
  let failed = 0;
  const embed = async (chunks: readonly DocumentChunk[]) => {
    const { results, tokens } = await embedTexts(embeddingProvider, chunks.map(embeddingText), {
      purpose: 'document',
      expectedDimensions: space.dimensions,
      signal: options.signal,
    });
    handedOut += chunks.length;
    const vectors = results.map((result, index) => {
      const chunk = chunks[index];
      if ('error' in result && chunk) {
        failed += 1;
        reasons.set(documentName(keyOf(chunk)), result.error.message);
      }
      return 'vector' in result ? result.vector : undefined;
    });
    if (failed > Math.max(ALWAYS_ALLOWED, MOST_FAILED * handedOut)) {
      throw new ProviderError(
        `${failed} of ${handedOut} stored chunks can't be embedded, so the store stays as it is. The last reason: ${[...reasons.values()].at(-1)}`,
        { provider: space.provider, isRetryable: false },
      );
    }
    onEmbedded?.({ chunks: vectors.length, tokens });
    return vectors;
  };
  const { maxTextsPerCall, maxParallelCalls } = embeddingProvider;
  const result = await store.changeEmbeddingSpace(space, embed, {
    batchSize: maxTextsPerCall * maxParallelCalls,
    ...options,
  });
  for (const key of result.removed) {
    const reason = reasons.get(documentName(key)) ?? 'It could not be embedded.';
    logger.warn(`Could not embed ${key.entityId} (${key.source}): ${reason}`);
    await runs.recordFailure({ ...key, reason });
  }
  logger.info(
    `The index is of ${describeSpace(space)} now; ${result.embedded} chunks were embedded`,
  );
  return result;
}

function keyOf({ entityId, metadata: { source } }: DocumentChunk) {
  return { entityId, source };
}
