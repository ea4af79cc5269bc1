/** Numbers that look random and are the same for the same seed. */
export interface SeededRandom {
  /** From 0 to `below`, without it; whole. */
  integer(below: number): number;
  pick<T>(items: readonly T[]): T;
}

/** mulberry32, which passes the common tests for its 32 bits of state. */
export function createRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const integer = (below: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
  return {
    integer,
    pick: items => {
      const item = items[integer(items.length)];
      if (item === undefined) {
        throw new RangeError('There is nothing to pick from.');
      }
      return item;
    },
  };
}
