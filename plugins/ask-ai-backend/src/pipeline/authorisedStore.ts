import type { DocumentChunk, RankedResult, SearchFilter } from 'backstage-plugin-ask-ai-common';
import type { EmbeddingVector, IVectorStore, RankedQuery } from 'backstage-plugin-ask-ai-node';
import { RANK_CONSTANT } from '../lib/fusion';
import type { ReadAccess } from './authorise';

/** What retrieval reads of a store. */
export interface ReadableStore
  extends Pick<IVectorStore, 'dimensions' | 'searchRanked' | 'chunks'> {
  /** Whether a search ran out of time before it knew all that the caller may read. */
  readonly wasCut?: boolean;
}

/** Candidates of the first window, and how much larger the second is. */
const WINDOW_FACTOR = 4;
const MIN_WINDOW = 50;

/** So many windows are tried before the readable entities are listed. */
const MAX_WINDOWS = 2;

/** So few entities are asked for at once: a narrow filter needs no window. */
const MAX_NAMED_ENTITIES = 250;

/**
 * A view of a store in which only those chunks exist that the caller may read. Retrieval works on it
 * without knowing of permissions, so that nothing that it does can show anything else.
 *
 * Where conditions decide, more hits than asked for are looked at, and checked in batches. When a
 * large window still holds too few that are readable, the caller reads a small part of the catalog:
 * its entities are listed then, and only they are searched, so that `topK` hits come whenever there
 * are as many. When `budgetMs` is over, what is known to be readable is returned and `wasCut` is set.
 *
 * @param budgetMs - for all searches through this view together.
 */
export function authorisedStore(
  store: ReadableStore,
  access: ReadAccess,
  { budgetMs, now = Date.now }: { budgetMs: number; now?: () => number },
): ReadableStore {
  if (access.scope === 'all') {
    return unfiltered(store);
  }
  const deadline = now() + budgetMs;
  const isLate = () => now() >= deadline;
  let wasCut = false;

  const searchRanked = async (query: RankedQuery): Promise<RankedResult[]> => {
    if (access.scope === 'none' || !(query.topK >= 1)) {
      return [];
    }
    const { entityIds } = query.filter ?? {};
    if (entityIds && entityIds.length <= MAX_NAMED_ENTITIES) {
      return searchAmong(await access.readable(entityIds), query);
    }
    let kept: RankedResult[] = [];
    let window = Math.max(MIN_WINDOW, WINDOW_FACTOR * Math.floor(query.topK));
    for (let tried = 0; tried < MAX_WINDOWS; tried++) {
      const hits = await store.searchRanked({ ...query, topK: window });
      kept = await keepReadable(hits, access);
      if (kept.length >= query.topK || hits.length < window) {
        return kept.slice(0, query.topK);
      }
      if (isLate()) {
        wasCut = true;
        return kept;
      }
      window *= WINDOW_FACTOR;
    }
    const readable = entityIds
      ? await access.readable(entityIds)
      : await listReadable(query.filter ?? {});
    const found = await searchAmong(readable, query);
    // A list that was cut may lack what the windows held.
    return found.length >= kept.length ? found : kept;
  };

  const searchAmong = (entityIds: Set<string>, query: RankedQuery) =>
    entityIds.size === 0
      ? Promise.resolve([])
      : store.searchRanked({ ...query, filter: { ...query.filter, entityIds: [...entityIds] } });

  const listReadable = async (filter: SearchFilter): Promise<Set<string>> => {
    const readable = new Set<string>();
    for await (const page of access.pages(filter)) {
      for (const entityId of page) {
        readable.add(entityId);
      }
      if (isLate()) {
        wasCut = true;
        break;
      }
    }
    return readable;
  };

  return {
    get dimensions() {
      return store.dimensions;
    },
    get wasCut() {
      return wasCut;
    },
    searchRanked: async query => withoutHiddenRanks(await searchRanked(query), query),
    chunks: async (key, range): Promise<DocumentChunk[]> =>
      (await access.readable([key.entityId])).has(key.entityId) ? store.chunks(key, range) : [],
  };
}

/** Embeddings whose entities are checked at once. */
const EXPORT_BATCH = 250;

/** What is stored of the entities that the caller may read, by id. */
export async function* exportReadable(
  store: Pick<IVectorStore, 'export'>,
  access: ReadAccess,
): AsyncGenerator<EmbeddingVector, void, undefined> {
  if (access.scope === 'none') {
    return;
  }
  let batch: EmbeddingVector[] = [];
  for await (const embedding of store.export()) {
    batch.push(embedding);
    if (batch.length >= EXPORT_BATCH) {
      yield* await keepReadable(batch, access);
      batch = [];
    }
  }
  yield* await keepReadable(batch, access);
}

/** The hits of entities that the caller may read, in their order. */
export async function keepReadable<T extends { documentChunk: Pick<DocumentChunk, 'entityId'> }>(
  hits: readonly T[],
  access: ReadAccess,
): Promise<T[]> {
  if (access.scope === 'all') {
    return [...hits];
  }
  const readable = await access.readable(hits.map(({ documentChunk }) => documentChunk.entityId));
  return hits.filter(({ documentChunk }) => readable.has(documentChunk.entityId));
}

/**
 * A fused score tells the rank of a hit among all hits, and so how many hidden ones were better: the
 * ranks among the readable ones take its place. Similarities and keyword scores tell nothing of others.
 */
function withoutHiddenRanks(hits: RankedResult[], { mode }: RankedQuery): RankedResult[] {
  return mode === 'hybrid'
    ? hits.map((hit, position) => ({ ...hit, score: 2 / (RANK_CONSTANT + position + 1) }))
    : hits;
}

function unfiltered(store: ReadableStore): ReadableStore {
  return {
    wasCut: false,
    get dimensions() {
      return store.dimensions;
    },
    searchRanked: query => store.searchRanked(query),
    chunks: (key, range) => store.chunks(key, range),
  };
}
