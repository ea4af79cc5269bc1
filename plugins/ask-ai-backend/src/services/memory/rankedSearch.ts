import type { RankedResult, SearchFilter, SearchMode } from 'backstage-plugin-ask-ai-common';
import { collapseDuplicates, fuseRanks, legSize } from '../../lib/fusion';
import type { Scored } from '../../lib/topK';
import type { ChunkTable } from './ChunkTable';
import type { Query } from './VectorMatrix';

/** A ranked search after its input was checked. */
export interface RankedSearch {
  mode: SearchMode;
  text: string;
  /** There unless the mode is `keyword`. */
  query?: Query;
  /** At least 1. */
  topK: number;
  filter: SearchFilter;
}

/** How much deeper the legs go when what they brought was mostly duplicates. */
const DEEPER = 4;

/** The best chunks for a question; as many as asked for, unless there are no more. */
export function searchRanked(table: ChunkTable, search: RankedSearch): RankedResult[] {
  for (let size = legSize(search.topK); ; size *= DEEPER) {
    const legs = searchLegs(table, search, size);
    const hits = collapseDuplicates(toResults(table, search, rank(table, search, legs)));
    if (hits.length >= search.topK || legs.every(leg => leg.length < size)) {
      return hits.slice(0, search.topK);
    }
  }
}

function searchLegs(
  table: ChunkTable,
  { mode, text, query, filter }: RankedSearch,
  topK: number,
): Scored[][] {
  const options = { topK, filter };
  const nearest = query && mode !== 'keyword' ? [table.nearest(query, options)] : [];
  const matching = mode === 'vector' ? [] : [table.matching(text, query, options)];
  return [...nearest, ...matching];
}

function rank(table: ChunkTable, { mode }: RankedSearch, legs: Scored[][]): Scored[] {
  if (mode !== 'hybrid') {
    return legs[0] ?? [];
  }
  const scores = fuseRanks(legs.map(leg => leg.map(({ item }) => item)));
  return [...scores]
    .map(([item, score]) => ({ item, score }))
    .sort((a, b) => b.score - a.score || (table.precedes(a.item, b.item) ? -1 : 1));
}

/** A hit of the keyword leg has its true similarity too, where the question has a vector. */
function toResults(table: ChunkTable, { query }: RankedSearch, ranked: Scored[]): RankedResult[] {
  return ranked.map(({ item, score }) => ({
    documentChunk: table.chunkOf(item),
    similarity: query ? table.similarity(query, item) : 0,
    score,
  }));
}
