import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeatureCounts } from './featureCounts';

const RUNS = 200;

describe('FeatureCounts', () => {
  it(`counts as a Map does, in the same order, again and again (${RUNS} random lists)`, () => {
    const counts = new FeatureCounts();
    const entries = fc.array(
      fc.tuple(
        fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer()),
        fc.integer({ min: 1, max: 9 }),
      ),
      { maxLength: 6_000, size: 'max' },
    );
    fc.assert(
      fc.property(entries, list => {
        const expected = new Map<number, number>();
        for (const [id, times] of list) {
          expected.set(id, (expected.get(id) ?? 0) + times);
          counts.add(id, times);
        }
        const drained: [number, number][] = [];
        counts.drain((id, count) => drained.push([id, count]));
        expect(drained).toEqual([...expected]);
      }),
      { numRuns: RUNS, seed: 7 },
    );
  });
});
