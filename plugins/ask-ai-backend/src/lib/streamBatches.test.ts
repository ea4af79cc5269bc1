import { describe, expect, it } from 'vitest';
import { streamBatches } from './streamBatches';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
}

/** Counts from 0 for ever, and remembers how often it was let go of. */
class Counter implements AsyncIterator<number> {
  returns = 0;
  private count = 0;

  constructor(private readonly answer: (value: number) => unknown = () => {}) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<number>> {
    const value = this.count++;
    await this.answer(value);
    return { done: false, value };
  }

  async return(): Promise<IteratorResult<number>> {
    this.returns++;
    return { done: true, value: undefined };
  }
}

describe('streamBatches', () => {
  it.each([
    [[], []],
    [[1], [[1]]],
    [[1, 2, 3], [[1, 2, 3]]],
    [
      [1, 2, 3, 4],
      [[1, 2, 3], [4]],
    ],
  ])('gives batches of three of %j', async (items, batches) => {
    async function* stream() {
      yield* items;
    }
    expect(await collect(streamBatches(items, 3))).toEqual(batches);
    expect(await collect(streamBatches(new Set(items), 3))).toEqual(batches);
    expect(await collect(streamBatches(stream(), 3))).toEqual(batches);
  });

  it('takes no more than a batch needs', async () => {
    const counter = new Counter();
    let asked = 0;
    const batches = streamBatches(counter, 2);
    for await (const batch of batches) {
      expect(batch).toEqual([2 * asked, 2 * asked + 1]);
      if (++asked === 3) break;
    }
    expect((await counter.next()).value).toBe(6);
  });

  it('lets go of a stream that the caller leaves', async () => {
    const counter = new Counter();
    for await (const _ of streamBatches(counter, 2)) break;
    expect(counter.returns).toBe(1);
  });

  it('lets go of a stream once, and not of one that has ended or failed', async () => {
    const failing = new Counter(value => {
      if (value === 3) throw new Error('The stream broke');
    });
    await expect(collect(streamBatches(failing, 2))).rejects.toThrow('The stream broke');
    expect(failing.returns).toBe(0);
    let returns = 0;
    const ending = {
      *[Symbol.iterator]() {
        try {
          yield 1;
        } finally {
          returns++;
        }
      },
    };
    await collect(streamBatches(ending, 2));
    expect(returns).toBe(1);
  });

  it('throws what ended it, also when letting go of the stream fails', async () => {
    const counter = new Counter();
    counter.return = () => Promise.reject(new Error('Letting go failed'));
    const read = async () => {
      for await (const _ of streamBatches(counter, 2)) throw new Error('The reader broke');
    };
    await expect(read()).rejects.toThrow('The reader broke');
  });

  it.each([
    ['when an item was given', () => {}],
    ['while the stream has nothing to give', () => new Promise<never>(() => {})],
  ])('rejects with the reason of the signal %s, and lets go of the stream', async (_, answer) => {
    const controller = new AbortController();
    const reason = new Error('No longer wanted');
    const counter = new Counter(value => {
      if (value !== 5) return undefined;
      controller.abort(reason);
      return answer();
    });
    await expect(collect(streamBatches(counter, 2, controller.signal))).rejects.toBe(reason);
    expect(counter.returns).toBe(1);
  });

  it('lets go of a stream that was not wanted from the start', async () => {
    const counter = new Counter();
    const signal = AbortSignal.abort(new Error('Never wanted'));
    await expect(collect(streamBatches(counter, 2, signal))).rejects.toThrow('Never wanted');
    expect(counter.returns).toBe(1);
    expect((await counter.next()).value).toBe(0);
  });

  it('leaves no listener on the signal', async () => {
    const { signal } = new AbortController();
    const added: unknown[] = [];
    signal.addEventListener = (_: string, listener: unknown) => added.push(listener);
    signal.removeEventListener = (_: string, listener: unknown) => {
      added.splice(added.indexOf(listener), 1);
    };
    await collect(streamBatches([1, 2, 3], 2, signal));
    expect(added).toEqual([]);
  });
});
