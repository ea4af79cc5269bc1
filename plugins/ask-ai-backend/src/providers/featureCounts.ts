/** Slots at the start: enough for a chunk of the default size without growing. A power of two. */
const INITIAL_SLOTS = 4096;

/**
 * Counts by 32-bit id: a hash table with open addressing over typed arrays. It is there for speed, as
 * a chunk has about a thousand features: a `Map` makes the whole embedding take half as long again.
 */
export class FeatureCounts {
  private ids = new Int32Array(INITIAL_SLOTS);
  /** 0 in a slot that is free. */
  private counts = new Float64Array(INITIAL_SLOTS);
  /** Slots in the order in which they were taken. */
  private taken: number[] = [];

  /** @param times - more than 0. */
  add(id: number, times: number): void {
    const last = this.ids.length - 1;
    let slot = (id >>> 4) & last;
    while (this.counts[slot] !== 0 && this.ids[slot] !== id) slot = (slot + 1) & last;
    if (this.counts[slot] === 0) {
      this.ids[slot] = id;
      this.taken.push(slot);
    }
    this.counts[slot] = (this.counts[slot] ?? 0) + times;
    if (this.taken.length * 2 > this.ids.length) this.grow();
  }

  /** Calls back for every id, in the order in which they came, and forgets them all. */
  drain(visit: (id: number, count: number) => void): void {
    for (const slot of this.taken) {
      visit(this.ids[slot] ?? 0, this.counts[slot] ?? 0);
      this.counts[slot] = 0;
    }
    this.taken = [];
    if (this.ids.length > INITIAL_SLOTS) {
      this.ids = new Int32Array(INITIAL_SLOTS);
      this.counts = new Float64Array(INITIAL_SLOTS);
    }
  }

  private grow(): void {
    const { ids, counts, taken } = this;
    this.ids = new Int32Array(ids.length * 2);
    this.counts = new Float64Array(ids.length * 2);
    this.taken = [];
    for (const slot of taken) this.add(ids[slot] ?? 0, counts[slot] ?? 0);
  }
}
