/** What float32 arithmetic, in another order, may differ by. */
const TOLERANCE = 1e-5;

/** The similarities of the nearest vectors to each of a few, found by comparing with all of them. */
export class NearestExactly {
  private readonly queries: Float64Array[];
  /** Of each query, the best first. */
  private readonly best: number[][];

  constructor(
    queries: readonly ArrayLike<number>[],
    private readonly topK: number,
  ) {
    this.queries = queries.map(query => normalised(query));
    this.best = queries.map(() => []);
  }

  add(vector: ArrayLike<number>): void {
    const unit = normalised(vector);
    for (const [position, query] of this.queries.entries()) {
      const similarity = dot(query, unit);
      const best = this.best[position] as number[];
      if (best.length < this.topK || similarity > (best.at(-1) as number)) {
        const place = best.findIndex(other => other < similarity);
        best.splice(place < 0 ? best.length : place, 0, similarity);
        best.length = Math.min(best.length, this.topK);
      }
    }
  }

  /** The part of the nearest to a query that was found, 0 to 1. */
  recall(position: number, found: readonly number[]): number {
    const best = this.best[position] ?? [];
    const least = (best.at(-1) ?? 1) - TOLERANCE;
    const near = found.filter(similarity => similarity >= least).length;
    return best.length === 0 ? 0 : Math.min(near, best.length) / best.length;
  }

  /** Whether a search for a stored vector found it, or its equal. */
  isFirst([first = -1]: readonly number[]): boolean {
    return first >= 1 - TOLERANCE;
  }
}

function normalised(vector: ArrayLike<number>): Float64Array {
  const unit = Float64Array.from(vector);
  const length = Math.sqrt(dot(unit, unit));
  for (let i = 0; i < unit.length; i++) {
    unit[i] = (unit[i] as number) / length;
  }
  return unit;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    sum += (a[i] as number) * (b[i] as number);
  }
  return sum;
}
