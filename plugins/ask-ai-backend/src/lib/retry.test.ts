import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fakeClock';
import { type Clock, type RetryOptions, retry, systemClock } from './retry';

class Failure extends Error {
  constructor(
    readonly isRetryable: boolean,
    readonly retryAfterMs?: number,
  ) {
    super(isRetryable ? 'busy' : 'refused');
  }
}

/** Fails with each of the errors in turn, then succeeds. */
function failing(...errors: Error[]) {
  let calls = 0;
  const attempt = async () => {
    const error = errors[calls++];
    if (error) throw error;
    return 'done';
  };
  return { attempt, calls: () => calls };
}

function options(clock: Clock, changes: Partial<RetryOptions> = {}): RetryOptions {
  return {
    maxAttempts: 4,
    baseDelayMs: 100,
    maxDelayMs: 250,
    maxRetryAfterMs: 5_000,
    deadlineMs: 10_000,
    clock,
    random: () => 0.5,
    ...changes,
  };
}

describe('retry', () => {
  const busy = new Failure(true);

  it('does not wait when the first call succeeds', async () => {
    const clock = new FakeClock();
    await expect(retry(failing().attempt, options(clock))).resolves.toBe('done');
    expect(clock.sleeps).toEqual([]);
  });

  it('waits twice as long each time, up to the maximum, three quarters of it at medium jitter', async () => {
    const clock = new FakeClock();
    const { attempt } = failing(busy, busy, busy);
    await expect(retry(attempt, options(clock))).resolves.toBe('done');
    expect(clock.sleeps).toEqual([75, 150, 187.5]);
  });

  it.each([
    [0, 50],
    [0.999, 99.95],
  ])('spreads the delay between half and all of it (random %d)', async (random, sleep) => {
    const clock = new FakeClock();
    await retry(failing(busy).attempt, options(clock, { random: () => random }));
    expect(clock.sleeps).toEqual([sleep]);
  });

  it('gives up after the last attempt with its error', async () => {
    const clock = new FakeClock();
    const { attempt, calls } = failing(busy, busy, busy, busy, busy);
    await expect(retry(attempt, options(clock))).rejects.toBe(busy);
    expect(calls()).toBe(4);
  });

  it('gives up at once on what a later call will not mend', async () => {
    const { attempt, calls } = failing(new Failure(false));
    await expect(retry(attempt, options(new FakeClock()))).rejects.toThrow('refused');
    expect(calls()).toBe(1);
  });

  it('gives up at once on an error that says nothing', async () => {
    const { attempt, calls } = failing(new TypeError('bug'));
    await expect(retry(attempt, options(new FakeClock()))).rejects.toThrow('bug');
    expect(calls()).toBe(1);
  });

  it('waits as long as the server asks, and a little more', async () => {
    const clock = new FakeClock();
    await retry(failing(new Failure(true, 3_000)).attempt, options(clock));
    expect(clock.sleeps).toEqual([3_025]);
  });

  it('does not wait longer than the cap although the server asks', async () => {
    const clock = new FakeClock();
    await retry(failing(new Failure(true, 3_600_000)).attempt, options(clock));
    expect(clock.sleeps).toEqual([5_025]);
  });

  it('does not begin a wait that ends after the deadline', async () => {
    const clock = new FakeClock();
    const slow = new Failure(true, 600);
    const { attempt, calls } = failing(slow, slow, slow);
    await expect(retry(attempt, options(clock, { deadlineMs: 1_000 }))).rejects.toBe(slow);
    expect(calls()).toBe(2);
    expect(clock.time).toBeLessThan(1_000);
  });

  it('rejects with the reason at once while an attempt is under way that heeds nothing', async () => {
    const controller = new AbortController();
    const result = retry(() => new Promise(() => {}), {
      ...options(new FakeClock()),
      signal: controller.signal,
    });
    controller.abort(new Error('shutting down'));
    await expect(result).rejects.toThrow('shutting down');
  });

  it('rejects with the reason at once while it waits', async () => {
    const controller = new AbortController();
    const { attempt, calls } = failing(new Failure(true, 5_000));
    const result = retry(attempt, options(systemClock, { signal: controller.signal }));
    setImmediate(() => controller.abort(new Error('shutting down')));
    await expect(result).rejects.toThrow('shutting down');
    expect(calls()).toBe(1);
  });

  it('does not begin when the signal has aborted', async () => {
    const { attempt, calls } = failing();
    const signal = AbortSignal.abort(new Error('shut down'));
    await expect(retry(attempt, options(new FakeClock(), { signal }))).rejects.toThrow('shut down');
    expect(calls()).toBe(0);
  });
});
