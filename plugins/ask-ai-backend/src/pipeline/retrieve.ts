import type {
  DocumentChunk,
  RankedResult,
  SearchFilter,
  SearchMode,
} from 'backstage-plugin-ask-ai-common';
import type { ReadableStore } from './authorisedStore';
import { type EmbeddingSpaces, isMismatch } from './EmbeddingSpaces';
import { embedQuery } from './embed';

/** What retrieval works with. */
export interface RetrieveOptions {
  store: ReadableStore;
  spaces: Pick<EmbeddingSpaces, 'forQuestions' | 'forget'>;
}

/** The store may be taken to another space between embedding a question and searching for it. */
const MAX_ATTEMPTS = 3;

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
  const { neighbours = 0 } = request;
  const hits = await search(request, options);
  return neighbours > 0
    ? Promise.all(hits.map(hit => joinNeighbours(hit, neighbours, options.store)))
    : hits;
}

async function search(
  { query, topK, mode, filter, signal }: RetrieveRequest,
  { store, spaces }: RetrieveOptions,
): Promise<RankedResult[]> {
  if (mode === 'keyword') {
    return store.searchRanked({ mode, text: query, topK, filter });
  }
  for (let attempt = 1; ; attempt++) {
    const { provider, space, isEmpty } = await spaces.forQuestions();
    if (isEmpty) {
      return [];
    }
    try {
      const expectedDimensions = space?.dimensions ?? store.dimensions;
      const vector = await embedQuery(provider, query, { expectedDimensions, signal });
      return await store.searchRanked({ mode, text: query, vector, topK, filter, space });
    } catch (error) {
      if (!isMismatch(error)) {
        throw error;
      }
      spaces.forget();
      if (attempt === MAX_ATTEMPTS) {
        throw error;
      }
    }
  }
}

/** Gives a hit the text around it; id, title and location stay those of the hit itself. */
async function joinNeighbours(
  hit: RankedResult,
  neighbours: number,
  store: ReadableStore,
): Promise<RankedResult> {
  const { entityId, metadata } = hit.documentChunk;
  const around = await store.chunks(
    { entityId, source: metadata.source },
    { from: metadata.chunkIndex - neighbours, to: metadata.chunkIndex + neighbours },
  );
  // The document was replaced after the search: what is there now may not be around the hit.
  if (!around.some(({ id }) => id === hit.documentChunk.id)) {
    return hit;
  }
  const content = around.map((chunk: DocumentChunk) => chunk.content).join('\n\n');
  return { ...hit, documentChunk: { ...hit.documentChunk, content } };
}
