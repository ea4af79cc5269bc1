/** A source of numbers that are the same for the same seed. */
export interface Random {
  /** From 0 to 1, without 1. */
  next(): number;
  /** An integer from 0 to `below`, without `below`. */
  integer(below: number): number;
  /** One of them. */
  pick<T>(items: readonly T[]): T;
  /** True as often as the share says, from 0 to 1. */
  chance(share: number): boolean;
  /** The items in another order; the list itself stays. */
  shuffle<T>(items: readonly T[]): T[];
  /** Numbers from -1 to 1. */
  vector(dimensions: number): number[];
}

/** The generator "mulberry32" by Tommy Ettinger (public domain). */
export function createRandom(seed: number): Random {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (below: number) => Math.floor(next() * below);
  return {
    next,
    integer,
    pick: <T>(items: readonly T[]) => items[integer(items.length)] as T,
    chance: share => next() < share,
    shuffle: <T>(items: readonly T[]) =>
      items
        .map(item => ({ item, order: next() }))
        .sort((a, b) => a.order - b.order)
        .map(({ item }) => item),
    vector: dimensions => Array.from({ length: dimensions }, () => 2 * next() - 1),
  };
}
