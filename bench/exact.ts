/** A row as far as an exact search needs it. The vector is of length 1. */
interface Row {
  id: string;
  vector: Float32Array;
}

/** Rows compared with all queries before the next are taken: they stay in the processor's cache. */
const BLOCK = 128;

/**
 * The ids of the `count` nearest rows for every query, best first, by comparing all with all. Rows
 * are taken as they come and not kept: memory does not grow with their number.
 */
export function exactNeighbours(
  rows: Iterable<Row>,
  queries: Float32Array[],
  count: number,
): string[][] {
  const nearest = queries.map(() => new Nearest(count));
  let block: Row[] = [];
  const compareBlock = () => {
    queries.forEach((query, index) => {
      for (const { id, vector } of block) {
        nearest[index]?.offer(id, dotProduct(query, vector));
      }
    });
    block = [];
  };
  for (const row of rows) {
    block.push(row);
    if (block.length === BLOCK) {
      compareBlock();
    }
  }
  compareBlock();
  return nearest.map(({ ids }) => ids);
}

/** Part of the exact neighbours that searches found, 0 to 1; of all queries together. */
export function recallOf(found: string[][], exact: string[][]): number {
  let hits = 0;
  let wanted = 0;
  exact.forEach((neighbours, query) => {
    const foundIds = new Set(found[query]);
    hits += neighbours.filter(id => foundIds.has(id)).length;
    wanted += neighbours.length;
  });
  return hits / wanted;
}

/** The best of what was offered, sorted: for the few that are kept an insertion beats a heap. */
class Nearest {
  readonly ids: string[] = [];
  private readonly scores: number[] = [];

  constructor(private readonly count: number) {}

  offer(id: string, score: number): void {
    const isFull = this.ids.length === this.count;
    if (isFull && score <= (this.scores[this.count - 1] as number)) {
      return;
    }
    let place = isFull ? this.count - 1 : this.ids.length;
    while (place > 0 && (this.scores[place - 1] as number) < score) {
      this.scores[place] = this.scores[place - 1] as number;
      this.ids[place] = this.ids[place - 1] as string;
      place--;
    }
    this.scores[place] = score;
    this.ids[place] = id;
  }
}

/** Four sums at once, which the processor adds up in parallel. */
function dotProduct(a: Float32Array, b: Float32Array): number {
  const length = a.length;
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < length; i += 4) {
    s0 += (a[i] as number) * (b[i] as number);
    s1 += (a[i + 1] as number) * (b[i + 1] as number);
    s2 += (a[i + 2] as number) * (b[i + 2] as number);
    s3 += (a[i + 3] as number) * (b[i + 3] as number);
  }
  for (; i < length; i++) {
    s0 += (a[i] as number) * (b[i] as number);
  }
  return s0 + s1 + s2 + s3;
}
