/** How much is measured. */
export interface Effort {
  /** Searches of a round. */
  calls: number;
  /** Rounds, of which the median counts. */
  rounds: number;
}

/** What a series of calls took. */
export interface Latency {
  p50Ms: number;
  p95Ms: number;
}

/** Work done, and how long it took. */
export interface Work {
  units: number;
  elapsedMs: number;
}

/** Ways to do the same, by name, as measured in each round. */
export type Rounds<Side extends string, T> = Record<Side, T>[];

/** Ours and what it is compared with, of the round whose ratio is the median. */
export interface Comparison<T> {
  floor: T;
  ours: T;
  /** ours / floor. */
  ratio: number;
}

/**
 * Calls all sides in turn, one call at a time, so that whatever the machine does meets all of them.
 * Each side is first as often as it is last: the next one finds warm pages for the same query.
 */
export async function latencyRounds<Side extends string>(
  { calls, rounds }: Effort,
  sides: Record<Side, (call: number) => Promise<unknown>>,
): Promise<Rounds<Side, Latency>> {
  const names = Object.keys(sides) as Side[];
  return afterWarmUp(rounds, async () => {
    const times = mapSides(names, () => [] as number[]);
    for (let call = 0; call < calls; call++) {
      for (const side of call % 2 === 0 ? names : names.toReversed()) {
        times[side].push(await timed(() => sides[side](call)));
      }
    }
    return mapSides(names, side => latency(times[side]));
  });
}

/**
 * Units a second of all sides. A round goes there and back (A B B A): a table that grows under the
 * work, or a machine that slows down, is not held against the side that came last.
 *
 * @param options - `goesBack: false` where the work takes long and leaves nothing behind: then a round
 * goes there, and the next one back.
 */
export async function rateRounds<Side extends string>(
  rounds: number,
  sides: Record<Side, () => Promise<Work>>,
  { goesBack = true }: { goesBack?: boolean } = {},
): Promise<Rounds<Side, number>> {
  const there = Object.keys(sides) as Side[];
  const back = there.toReversed();
  return afterWarmUp(rounds, async round => {
    const sums = mapSides(there, () => ({ units: 0, elapsedMs: 0 }));
    const oneWay = round % 2 === 0 ? there : back;
    for (const side of goesBack ? [...there, ...back] : oneWay) {
      const { units, elapsedMs } = await sides[side]();
      sums[side].units += units;
      sums[side].elapsedMs += elapsedMs;
    }
    return mapSides(there, side => (sums[side].units * 1_000) / sums[side].elapsedMs);
  });
}

/** The round whose ratio is the median. */
export function compare<Side extends string, T extends number | Latency>(
  rounds: Rounds<Side, T>[number][],
  ours: Side,
  floor: Side,
): Comparison<T> {
  const comparisons = rounds.map(round => ({
    floor: round[floor],
    ours: round[ours],
    ratio: figure(round[ours]) / figure(round[floor]),
  }));
  comparisons.sort((a, b) => a.ratio - b.ratio);
  const median = comparisons[Math.floor(comparisons.length / 2)];
  if (!median) {
    throw new Error('No round was measured.');
  }
  return median;
}

/** Times work that says how many units it did. */
export async function clock(work: () => Promise<number>): Promise<Work> {
  const startedAt = performance.now();
  const units = await work();
  return { units, elapsedMs: performance.now() - startedAt };
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** How often the resident set is looked at, in milliseconds, beside the calls of `sample`. */
const SAMPLE_INTERVAL_MS = 20;

/** By how many bytes the resident set of this process grew, at its peak, while the work was done. */
export async function residentGrowth(
  work: (sample: () => void) => Promise<unknown>,
): Promise<number> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const sample = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(sample, SAMPLE_INTERVAL_MS);
  try {
    await work(sample);
    sample();
  } finally {
    clearInterval(timer);
  }
  return peak - before;
}

/** The first round only warms up caches, connections and the compiler. */
async function afterWarmUp<T>(
  rounds: number,
  measure: (round: number) => Promise<T>,
): Promise<T[]> {
  const measured: T[] = [];
  for (let round = 0; round <= rounds; round++) {
    measured.push(await measure(round));
  }
  return measured.slice(1);
}

function mapSides<Side extends string, T>(
  names: Side[],
  valueFor: (side: Side) => T,
): Record<Side, T> {
  return Object.fromEntries(names.map(side => [side, valueFor(side)])) as Record<Side, T>;
}

function figure(value: number | Latency): number {
  return typeof value === 'number' ? value : value.p50Ms;
}

function latency(times: number[]): Latency {
  const sorted = [...times].sort((a, b) => a - b);
  return { p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95) };
}

function percentile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
