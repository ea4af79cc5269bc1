import type { Comparison, Latency } from './measure';

/** What must hold: of the ratio where there is one, else of `ours`. */
export type Target = { atMost: number } | { atLeast: number };

export type Unit = 'ms' | 's' | 'per second' | 'share' | 'bytes' | 'count';

/** What a suite found: a line of its table. */
export interface Measurement {
  what: string;
  unit: Unit;
  /** The raw floor, or what `what` says that ours is compared with. */
  floor?: number;
  ours: number;
  /** ours / floor; of the median round. */
  ratio?: number;
  /** For the reader: nothing fails on a timing. */
  target?: Target;
}

/** Whether the target is met; `undefined` without one. */
export function holds({ target, ratio, ours }: Measurement): boolean | undefined {
  if (!target) {
    return undefined;
  }
  const value = ratio ?? ours;
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
}

/** A result that is wrong, whatever the time it took: ends the run with a failure. */
export function assertCorrect(isCorrect: boolean, message: string): void {
  if (!isCorrect) {
    throw new Error(`Wrong result: ${message}`);
  }
}

/** The line of a comparison of latencies. */
export function p50(
  what: string,
  { floor, ours, ratio }: Comparison<Latency>,
  target?: Target,
): Measurement {
  return { what, unit: 'ms', floor: floor.p50Ms, ours: ours.p50Ms, ratio, target };
}
