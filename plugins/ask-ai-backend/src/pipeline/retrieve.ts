import type {
  DocumentChunk,
  RankedResult,
  SearchFilter,
  SearchMode,
} from 'backstage-plugin-ask-ai-common';
import type { EmbeddingProvider, IVectorStore } from 'backstage-plugin-ask-ai-node';
import { embedQuery } from './embed';

/** What retrieval works with. */
export interface RetrieveOptions {
  store: IVectorStore;
  embeddingProvider: EmbeddingProvider;
  /** Rejects when the store holds another model's vectors. */
  assertEmbeddingSpace(): Promise<void>;
}

/** What is looked for. */
export interface RetrieveRequest {
  query: string;
  topK: number;
  mode: SearchMode;
  filter?: SearchFilter;
  /** How many chunks before and after each hit are joined to it. */
  neighbours?: number;
  signal?: AbortSignal;
}

/** The best chunks for a question, best first. */
export async function retrieve(
  request: RetrieveRequest,
  options: RetrieveOptions,
): Promise<RankedResult[]> {
  const { query, topK, mode, filter, neighbours = 0, signal } = request;
  await options.assertEmbeddingSpace();
  const vector =
    mode === 'keyword'
      ? undefined
      : await embedQuery(options.embeddingProvider, query, {
          expectedDimensions: options.store.dimensions,
          signal,
        });
  const hits = await options.store.searchRanked({ mode, text: query, vector, topK, filter });
  return neighbours > 0
    ? Promise.all(hits.map(hit => joinNeighbours(hit, neighbours, options.store)))
    : hits;
}

/** Gives a hit the text around it; id, title and location stay those of the hit itself. */
async function joinNeighbours(
  hit: RankedResult,
  neighbours: number,
  store: IVectorStore,
): Promise<RankedResult> {
  const { entityId, metadata } = hit.documentChunk;
  const around = await store.chunks(
    { entityId, source: metadata.source },
    { from: metadata.chunkIndex - neighbours, to: metadata.chunkIndex + neighbours },
  );
  const content = around.map((chunk: DocumentChunk) => chunk.content).join('\n\n');
  return { ...hit, documentChunk: { ...hit.documentChunk, content } };
}
