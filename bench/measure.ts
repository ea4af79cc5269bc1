/** What a series of calls took. */
export interface Latency {
  p50Ms: number;
  p95Ms: number;
}

/** Two ways to do the same, measured in the same minutes. */
export interface Comparison<T> {
  floor: T;
  ours: T;
  /** ours / floor, of the median round. */
  ratio: number;
}

/** Rounds of which the median counts. */
const ROUNDS = 3;

/**
 * Calls floor and ours in turn, one call at a time, so that whatever the machine does meets both.
 * The median of three rounds, by ratio.
 */
export async function compareLatency(
  calls: number,
  floor: (call: number) => Promise<unknown>,
  ours: (call: number) => Promise<unknown>,
): Promise<Comparison<Latency>> {
  const rounds: Comparison<Latency>[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const floorTimes: number[] = [];
    const ourTimes: number[] = [];
    for (let call = 0; call < calls; call++) {
      floorTimes.push(await timed(() => floor(call)));
      ourTimes.push(await timed(() => ours(call)));
    }
    // The first round only warms up caches, connections and the compiler.
    if (round > 0) {
      const comparison = { floor: latency(floorTimes), ours: latency(ourTimes) };
      rounds.push({ ...comparison, ratio: comparison.ours.p50Ms / comparison.floor.p50Ms });
    }
  }
  return medianByRatio(rounds);
}

/** Work per second of floor and ours in turn; `work` says how much a call did. */
export async function compareRate(
  floor: (round: number) => Promise<number>,
  ours: (round: number) => Promise<number>,
  { warmUp = true } = {},
): Promise<Comparison<number>> {
  const rounds: Comparison<number>[] = [];
  for (let round = warmUp ? 0 : 1; round <= ROUNDS; round++) {
    const floorRate = await rate(() => floor(round));
    const ourRate = await rate(() => ours(round));
    if (round > 0) {
      rounds.push({ floor: floorRate, ours: ourRate, ratio: ourRate / floorRate });
    }
  }
  return medianByRatio(rounds);
}

/** Units a second. */
export async function rate(work: () => Promise<number>): Promise<number> {
  const startedAt = performance.now();
  const units = await work();
  return (units * 1_000) / (performance.now() - startedAt);
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

export function latency(times: number[]): Latency {
  const sorted = [...times].sort((a, b) => a - b);
  return { p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95) };
}

function percentile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function medianByRatio<T>(rounds: Comparison<T>[]): Comparison<T> {
  const sorted = [...rounds].sort((a, b) => a.ratio - b.ratio);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (!median) {
    throw new Error('No round was measured.');
  }
  return median;
}
