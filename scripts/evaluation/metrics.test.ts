import { describe, expect, it } from 'vitest';
import { firstRank, hitRate, normalisedGain, percentile, retrievalMetrics } from './metrics';

describe('retrievalMetrics', () => {
  it('takes means over all questions, those without a right hit included', () => {
    const metrics = retrievalMetrics([
      { rank: 1, ndcg: 1, latencyMs: 4 },
      { rank: 4, ndcg: 0.5, latencyMs: 2 },
      { rank: 10, ndcg: 0.25, latencyMs: 8 },
      { rank: undefined, ndcg: 0, latencyMs: 6 },
    ]);
    expect(metrics).toEqual({
      questions: 4,
      hitAt1: 0.25,
      hitAt5: 0.5,
      meanReciprocalRank: (1 + 1 / 4 + 1 / 10) / 4,
      ndcgAt10: 1.75 / 4,
      latencyP50Ms: 4,
      latencyP95Ms: 8,
    });
  });

  it('gives zeros for no questions', () => {
    expect(retrievalMetrics([])).toMatchObject({ questions: 0, hitAt1: 0, latencyP95Ms: 0 });
  });
});

describe('hitRate', () => {
  it('counts a right hit at the depth itself', () => {
    expect(hitRate([{ rank: 5 }], 5)).toBe(1);
    expect(hitRate([{ rank: 6 }], 5)).toBe(0);
  });
});

describe('firstRank', () => {
  it('counts from 1', () => {
    expect(firstRank([false, true, true])).toBe(2);
    expect(firstRank([false])).toBeUndefined();
  });
});

describe('percentile', () => {
  it.each([
    [0, 1],
    [0.5, 2],
    [0.75, 3],
    [0.95, 4],
    [1, 4],
  ])('takes the nearest rank at %f', (part, value) => {
    expect(percentile([4, 1, 3, 2], part)).toBe(value);
  });
});

describe('normalisedGain', () => {
  it.each([
    [[true, true, false], 2, 1],
    [[true, false, false], 1, 1],
    [[false, true, false], 1, 1 / Math.log2(3)],
    [[true, false, true], 2, (1 + 1 / 2) / (1 + 1 / Math.log2(3))],
    [[false, false], 3, 0],
    [[], 1, 0],
  ])('of %j with %i right ones is %f', (isRight, rightCount, expected) => {
    expect(normalisedGain(isRight, rightCount)).toBeCloseTo(expected, 10);
  });
});
