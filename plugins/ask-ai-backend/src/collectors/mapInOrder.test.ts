import { describe, expect, it } from 'vitest';
import { mapInOrder } from './mapInOrder';

async function* numbers(count: number, onTake: (value: number) => void = () => {}) {
  for (let value = 0; value < count; value++) {
    onTake(value);
    yield value;
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
}

const turn = () => new Promise<void>(resolve => setImmediate(resolve));

describe('mapInOrder', () => {
  it('keeps the order, whichever call ends first', async () => {
    const map = async (value: number) => {
      for (let turns = 0; turns < 10 - value; turns++) await turn();
      return value;
    };
    expect(await collect(mapInOrder(numbers(10), map, { concurrency: 4 }))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
  });

  it('never has more calls under way than it may, nor takes more than it needs', async () => {
    let underWay = 0;
    let most = 0;
    let taken = 0;
    let given = 0;
    const map = async (value: number) => {
      most = Math.max(most, ++underWay);
      await turn();
      underWay--;
      return value;
    };
    const results = mapInOrder(
      numbers(50, () => {
        taken++;
      }),
      map,
      { concurrency: 3 },
    );
    for await (const _ of results) {
      given++;
      expect(taken - given).toBeLessThanOrEqual(3);
    }
    expect(given).toBe(50);
    expect(most).toBe(3);
  });

  it('passes an error on and stops the calls under way', async () => {
    const signals: AbortSignal[] = [];
    const map = async (value: number, signal: AbortSignal) => {
      signals.push(signal);
      await turn();
      if (value === 1) throw new Error('broken');
      return value;
    };
    await expect(collect(mapInOrder(numbers(9), map, { concurrency: 4 }))).rejects.toThrow(
      'broken',
    );
    expect(signals.every(signal => signal.aborted)).toBe(true);
  });

  it('stops the calls under way when the caller has enough', async () => {
    const signals: AbortSignal[] = [];
    const map = async (value: number, signal: AbortSignal) => {
      signals.push(signal);
      return value;
    };
    for await (const value of mapInOrder(numbers(9), map, { concurrency: 4 })) {
      if (value === 0) break;
    }
    expect(signals).toHaveLength(4);
    expect(signals.every(signal => signal.aborted)).toBe(true);
  });
});
