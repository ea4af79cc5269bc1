/** What was measured for one question. */
export interface Measurement {
  /** Position of the first right hit, from 1; `undefined` when there is none. */
  rank?: number;
  /** See {@link normalisedGain}. */
  ndcg: number;
  latencyMs: number;
}

/** Means over questions; ratios from 0 to 1. */
export interface RetrievalMetrics {
  questions: number;
  hitAt1: number;
  hitAt5: number;
  /** Mean of 1 / rank; a question without a right hit counts as 0. */
  meanReciprocalRank: number;
  /** Mean normalised discounted cumulative gain of the first ten hits. */
  ndcgAt10: number;
  latencyP50Ms: number;
  latencyP95Ms: number;
}

export function retrievalMetrics(measurements: readonly Measurement[]): RetrievalMetrics {
  const latencies = measurements.map(measurement => measurement.latencyMs);
  return {
    questions: measurements.length,
    hitAt1: hitRate(measurements, 1),
    hitAt5: hitRate(measurements, 5),
    meanReciprocalRank: mean(measurements.map(({ rank }) => (rank === undefined ? 0 : 1 / rank))),
    ndcgAt10: mean(measurements.map(({ ndcg }) => ndcg)),
    latencyP50Ms: percentile(latencies, 0.5),
    latencyP95Ms: percentile(latencies, 0.95),
  };
}

/** The part of the questions that have a right hit among the first `depth`. */
export function hitRate(measurements: readonly Pick<Measurement, 'rank'>[], depth: number): number {
  return mean(measurements.map(({ rank }) => (rank !== undefined && rank <= depth ? 1 : 0)));
}

/** Position of the first right hit, from 1. */
export function firstRank(isRight: readonly boolean[]): number | undefined {
  const index = isRight.indexOf(true);
  return index === -1 ? undefined : index + 1;
}

/**
 * Normalised discounted cumulative gain (Järvelin and Kekäläinen, 2002) with gains of 0 and 1: a right
 * hit counts 1 / log2(1 + rank), and 1 is what the best order of `rightCount` right hits has.
 *
 * @param isRight - of the hits, best first; one that repeats another is `false`.
 * @param rightCount - how many right ones there are, at least 1.
 */
export function normalisedGain(isRight: readonly boolean[], rightCount: number): number {
  const gain = (right: readonly boolean[]) =>
    right.reduce((sum, each, index) => sum + (each ? 1 / Math.log2(index + 2) : 0), 0);
  const ideal = Array.from({ length: Math.min(rightCount, isRight.length || 1) }, () => true);
  return Math.min(1, gain(isRight) / gain(ideal));
}

/**
 * The smallest value that at least this part of the values does not exceed ("nearest rank"); 0 of no
 * values.
 *
 * @param part - from 0 to 1.
 */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}

/** 0 of no values. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
