import { describe, expect, it } from 'vitest';
import { compare, latencyRounds, rateRounds, residentGrowth } from './measure';
import { holds } from './measurement';

describe('compare', () => {
  it('takes the round whose ratio is the median', () => {
    const rounds = [
      { floor: 100, ours: 50 },
      { floor: 10, ours: 9 },
      { floor: 10, ours: 20 },
    ];
    expect(compare(rounds, 'ours', 'floor')).toEqual({ floor: 10, ours: 9, ratio: 0.9 });
  });
});

describe('latencyRounds', () => {
  it('lets each side be first in turn, and forgets the first round', async () => {
    const order: string[] = [];
    const rounds = await latencyRounds(
      { calls: 2, rounds: 1 },
      { a: async call => order.push(`a${call}`), b: async call => order.push(`b${call}`) },
    );
    expect(order).toEqual(['a0', 'b0', 'b1', 'a1', 'a0', 'b0', 'b1', 'a1']);
    expect(rounds).toHaveLength(1);
  });
});

describe('rateRounds', () => {
  it('goes there and back, so that what grows meanwhile is held against nobody', async () => {
    let elapsedMs = 0;
    const work = async () => ({ units: 10, elapsedMs: ++elapsedMs });
    const [round] = await rateRounds(1, { a: work, b: work });
    expect(round?.a).toBeCloseTo(round?.b ?? 0);
  });
});

describe('residentGrowth', () => {
  it('sees memory that is held only while the work is done', async () => {
    const growth = await residentGrowth(async sample => {
      Buffer.alloc(50e6, 1);
      sample();
    });
    expect(growth).toBeGreaterThan(40e6);
  });
});

describe('holds', () => {
  it('is about the ratio where there is one, else about ours', () => {
    const measurement = { what: 'x', unit: 'ms', ours: 5 } as const;
    expect(holds(measurement)).toBeUndefined();
    expect(holds({ ...measurement, target: { atMost: 4 } })).toBe(false);
    expect(holds({ ...measurement, ratio: 1.1, target: { atMost: 1.25 } })).toBe(true);
    expect(holds({ ...measurement, ratio: 0.7, target: { atLeast: 0.8 } })).toBe(false);
  });
});
