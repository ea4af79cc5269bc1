import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopK, wholeTopK } from './topK';

const byNumber = (a: number, b: number) => a < b;

describe('TopK', () => {
  it('keeps the best, ties by the order given, as a full sort does (500 cases)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 70 }),
        (scores, capacity) => {
          const top = new TopK(capacity, byNumber);
          scores.forEach((score, item) => {
            top.offer(item, score);
          });
          const expected = scores
            .map((score, item) => ({ item, score }))
            .sort((a, b) => b.score - a.score || a.item - b.item)
            .slice(0, capacity);
          expect(top.best()).toEqual(expected);
        },
      ),
      { numRuns: 500, seed: 1 },
    );
  });

  it('gives the same whatever order the items come in', () => {
    const items = [3, 1, 4, 0, 2];
    for (const order of [items, [...items].reverse(), [...items].sort()]) {
      const top = new TopK(3, byNumber);
      order.forEach(item => {
        top.offer(item, 0.5);
      });
      expect(top.best().map(({ item }) => item)).toEqual([0, 1, 2]);
    }
  });

  it('tells the score that an item must at least have', () => {
    const top = new TopK(2, byNumber, -1);
    expect(top.threshold).toBe(-1);
    expect(top.offer(1, 0.3)).toBe(-1);
    expect(top.offer(2, 0.9)).toBe(0.3);
    expect(top.offer(3, 0.5)).toBe(0.5);
    expect(top.offer(4, 0.1)).toBe(0.5);
  });

  it('takes nothing below the minimum, and no NaN', () => {
    const top = new TopK(5, byNumber, 0.5);
    top.offer(1, 0.49);
    top.offer(2, 0.5);
    top.offer(3, Number.NaN);
    expect(top.best()).toEqual([{ item: 2, score: 0.5 }]);
  });
});

describe('wholeTopK', () => {
  it.each([
    [10, 10],
    [2.9, 2],
    [0.9, 0],
    [0, 0],
    [-3, 0],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 2 ** 31 - 1],
    [Number.NEGATIVE_INFINITY, 0],
  ])('makes %d to %d', (topK, expected) => {
    expect(wholeTopK(topK)).toBe(expected);
  });
});
