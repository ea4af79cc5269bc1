import type { SearchResult } from 'backstage-plugin-ask-ai-common';

/** Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", SIGIR 2009: 60 serves any collection. */
export const RANK_CONSTANT = 60;

/** The least a leg brings: below it the fusion has too little to choose from. */
const MIN_LEG_SIZE = 50;

/** How many hits each leg brings for `topK` results, so that a chunk that both find can win. */
export function legSize(topK: number): number {
  return Math.max(MIN_LEG_SIZE, 4 * topK);
}

/**
 * Reciprocal rank fusion: the score of an item is the sum of 1 / (60 + rank) over the legs that
 * found it, with ranks from 1.
 *
 * @param legs - the items of each leg, best first, each item at most once a leg.
 * @returns the score of every item, in the order in which they were met.
 */
export function fuseRanks<T>(legs: readonly (readonly T[])[]): Map<T, number> {
  const scores = new Map<T, number>();
  for (const leg of legs) {
    leg.forEach((item, position) => {
      scores.set(item, (scores.get(item) ?? 0) + 1 / (RANK_CONSTANT + position + 1));
    });
  }
  return scores;
}

/**
 * Keeps the first of the hits that say the same, whatever their case and white space.
 *
 * @param hits - best first.
 * @param among - `entity`: only hits of one entity are taken as the same. A store must not choose
 * between entities, since the caller may be allowed to read only the one that it would drop. `all`:
 * for hits that the caller may read.
 */
export function collapseDuplicates<T extends SearchResult>(
  hits: readonly T[],
  among: 'entity' | 'all' = 'entity',
): T[] {
  const seen = new Set<string>();
  return hits.filter(({ documentChunk: { entityId, content } }) => {
    const words = content.toLowerCase().split(/\s+/).filter(Boolean).join(' ');
    const key = among === 'entity' ? `${entityId}\0${words}` : words;
    const isFirst = !seen.has(key);
    seen.add(key);
    return isFirst;
  });
}
