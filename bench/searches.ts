import { recallOf } from './exact';
import { type Comparison, compare, type Effort, type Latency, latencyRounds } from './measure';

/** A way to search: the ids that it finds for a query. */
export type Find = (query: Float32Array, call: number) => Promise<string[]>;

/** What two ways to search found of the exact neighbours, and how long they took. */
export interface SearchFigures {
  latency: Comparison<Latency>;
  recall: { floor: number; ours: number };
  /** Ids, a list a query. */
  found: { floor: string[][]; ours: string[][] };
}

/**
 * Searches for every query both ways, in turn, and looks at what was found: nobody shall win by
 * looking at less.
 *
 * @param exact - of all queries, or of the first of them.
 */
export async function measureSearches(
  effort: Effort,
  queries: Float32Array[],
  exact: string[][],
  { floor, ours }: { floor: Find; ours: Find },
): Promise<SearchFigures> {
  const found: SearchFigures['found'] = { floor: [], ours: [] };
  const calls = queries.length;
  const rounds = await latencyRounds(
    { ...effort, calls },
    {
      floor: async call => {
        found.floor[call] = await floor(queries[call] as Float32Array, call);
      },
      ours: async call => {
        found.ours[call] = await ours(queries[call] as Float32Array, call);
      },
    },
  );
  return {
    latency: compare(rounds, 'ours', 'floor'),
    recall: { floor: recallOf(found.floor, exact), ours: recallOf(found.ours, exact) },
    found,
  };
}

/** What one way to search finds of the exact neighbours. */
export async function measureRecall(
  queries: Float32Array[],
  exact: string[][],
  find: Find,
): Promise<number> {
  const found: string[][] = [];
  for (const query of queries.slice(0, exact.length)) {
    found.push(await find(query, found.length));
  }
  return recallOf(found, exact);
}
