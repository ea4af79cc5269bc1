/** Lets a few pieces of work be under way at once, while whoever brings them goes on. */
export class WorkQueue {
  private readonly underWay: Promise<void>[] = [];

  /** @param most - so many are under way at once. */
  constructor(private readonly most: number) {}

  /**
   * Begins a piece of work as soon as there is room for it, and does not wait for its end.
   *
   * @throws what the piece that had to make room failed with.
   */
  async add(work: () => Promise<void>): Promise<void> {
    if (this.underWay.length === this.most) {
      await this.underWay.shift();
    }
    const working = work();
    // It is awaited later; until then, its failure is not unhandled.
    working.catch(() => {});
    this.underWay.push(working);
  }

  /** @throws what any of those that are under way fails with. */
  async finished(): Promise<void> {
    await Promise.all(this.underWay.splice(0));
  }

  /** Resolves when nothing is under way any more, whatever became of it. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }
}
