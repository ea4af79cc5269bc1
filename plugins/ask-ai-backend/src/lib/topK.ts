/** More hits than this are never asked for at once: it is what PostgreSQL's `integer` holds. */
const MAX_TOP_K = 2 ** 31 - 1;

/** `topK` as a whole number: fractions are cut off, NaN and what is below 1 become 0. */
export function wholeTopK(topK: number): number {
  return topK >= 1 ? Math.min(Math.floor(topK), MAX_TOP_K) : 0;
}

/** An item with its score. */
export interface Scored {
  item: number;
  score: number;
}

/**
 * The best of a stream of items, in a heap that never holds more than `capacity` of them: its root
 * is the worst, and goes when a better one comes. Items are numbers, such as the position of a row.
 */
export class TopK {
  private readonly items: number[] = [];
  private readonly scores: number[] = [];

  /**
   * @param capacity - an integer of at least 1.
   * @param precedes - decides which of two items of equal score is better; a strict order.
   * @param minScore - items below it are not taken.
   */
  constructor(
    private readonly capacity: number,
    private readonly precedes: (a: number, b: number) => boolean,
    private readonly minScore = Number.NEGATIVE_INFINITY,
  ) {}

  /** Items of a lower score than this need not be offered; those of an equal one must. */
  get threshold(): number {
    return this.scores.length < this.capacity ? this.minScore : (this.scores[0] as number);
  }

  /** Takes the item if it is among the best so far. Returns the new threshold. */
  offer(item: number, score: number): number {
    if (!(score >= this.minScore)) {
      return this.threshold;
    }
    if (this.scores.length < this.capacity) {
      this.items.push(item);
      this.scores.push(score);
      this.siftUp(this.items.length - 1);
    } else if (this.isWorse(this.items[0] as number, this.scores[0] as number, item, score)) {
      this.items[0] = item;
      this.scores[0] = score;
      this.siftDown(0);
    }
    return this.threshold;
  }

  /** What was kept, best first. */
  best(): Scored[] {
    return this.items
      .map((item, position) => ({ item, score: this.scores[position] as number }))
      .sort((a, b) => (this.isWorse(a.item, a.score, b.item, b.score) ? 1 : -1));
  }

  private isWorse(itemA: number, scoreA: number, itemB: number, scoreB: number): boolean {
    return scoreA === scoreB ? this.precedes(itemB, itemA) : scoreA < scoreB;
  }

  private isWorseAt(a: number, b: number): boolean {
    return this.isWorse(
      this.items[a] as number,
      this.scores[a] as number,
      this.items[b] as number,
      this.scores[b] as number,
    );
  }

  private siftUp(start: number): void {
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!this.isWorseAt(position, parent)) {
        return;
      }
      this.swap(position, parent);
      position = parent;
    }
  }

  private siftDown(start: number): void {
    let position = start;
    for (;;) {
      let worst = position;
      for (let child = 2 * position + 1; child <= 2 * position + 2; child++) {
        if (child < this.items.length && this.isWorseAt(child, worst)) {
          worst = child;
        }
      }
      if (worst === position) {
        return;
      }
      this.swap(position, worst);
      position = worst;
    }
  }

  private swap(a: number, b: number): void {
    [this.items[a], this.items[b]] = [this.items[b] as number, this.items[a] as number];
    [this.scores[a], this.scores[b]] = [this.scores[b] as number, this.scores[a] as number];
  }
}
