import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitOpenError, InvalidVectorError, VectorStoreUnavailableError } from '../../errors';
import { Guard, type GuardFigures, type GuardOptions } from './Guard';

const OPTIONS: GuardOptions = {
  maxAttempts: 3,
  deadlineMillis: 1_000,
  attemptTimeoutMillis: 400,
  breakerFailures: 4,
  breakerOpenMillis: 500,
};

const failing = (outage: 'none' | 'brief' | 'lasting') => async () => {
  throw new VectorStoreUnavailableError('away', { outage });
};
const hanging = () => new Promise<never>(() => {});

describe('Guard', () => {
  let states: GuardFigures['state'][];
  let guard: Guard;
  const make = (options: Partial<GuardOptions> = {}) => {
    states = [];
    guard = new Guard(
      'read',
      { ...OPTIONS, ...options },
      { onStateChange: (_, state) => states.push(state) },
    );
  };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
    make();
  });

  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  /** What a call ends with, in the time that it takes. */
  const outcomeOf = async (call: Promise<unknown>) => {
    const outcome = call.then(
      value => ({ value }),
      (error: Error) => ({ error }),
    );
    await vi.runAllTimersAsync();
    return outcome;
  };

  it('gives up an attempt in time', async () => {
    make({ maxAttempts: 1 });
    const startedAt = Date.now();
    expect(await outcomeOf(guard.run('search', hanging))).toMatchObject({
      error: {
        name: 'DeadlineExceededError',
        statusCode: 504,
        message: 'Could not search: no answer within 400 ms.',
      },
    });
    expect(Date.now() - startedAt).toBe(400);
    expect(guard.figures.timedOut).toBe(1);
  });

  it('repeats what it gave up, to the deadline and no further', async () => {
    // The waits between attempts are not faked.
    vi.useRealTimers();
    make({ maxAttempts: 100, attemptTimeoutMillis: 40, deadlineMillis: 200, breakerFailures: 100 });
    const attempt = vi.fn(hanging);
    const startedAt = performance.now();
    await expect(guard.run('search', attempt)).rejects.toMatchObject({
      name: 'DeadlineExceededError',
    });
    // What is more than the deadline is the event loop's.
    expect(performance.now() - startedAt).toBeLessThan(400);
    expect(attempt.mock.calls.length).toBeGreaterThan(1);
    vi.useFakeTimers();
  });

  it('waits for attempts without a limit', async () => {
    make({ attemptTimeoutMillis: undefined });
    const slow = () => new Promise(resolve => setTimeout(() => resolve('done'), 5_000));
    expect(await outcomeOf(guard.run('write', slow))).toEqual({ value: 'done' });
  });

  it.each([
    ['none', 3],
    ['brief', 3],
    ['lasting', 1],
  ] as const)('attempts a call after an outage "%s" %d times', async (outage, attempts) => {
    const attempt = vi.fn(failing(outage));
    await outcomeOf(guard.run('search', attempt));
    expect(attempt).toHaveBeenCalledTimes(attempts);
    expect(guard.figures.retries).toBe(attempts - 1);
  });

  it('does not count what says nothing about the server', async () => {
    const refuse = async () => {
      throw new InvalidVectorError('it is zero');
    };
    for (let call = 0; call < 10; call++) {
      await outcomeOf(guard.run('search', refuse));
      await outcomeOf(guard.run('search', failing('none')));
    }
    expect(states).toEqual([]);
  });

  it('opens, rejects with when to come back, lets one try, and closes', async () => {
    for (let call = 0; call < 4; call++) {
      await outcomeOf(guard.run('search', failing('lasting')));
    }
    expect(guard.figures).toMatchObject({ state: 'open', opened: 1 });
    const attempt = vi.fn(async () => 'answer');
    const { error } = (await outcomeOf(guard.run('search', attempt))) as {
      error: CircuitOpenError;
    };
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(error).toMatchObject({ statusCode: 503, retryAfterMs: 500, cause: { message: 'away' } });
    expect(error.message).toContain('asked again in 500 ms. away');
    expect(attempt).not.toHaveBeenCalled();

    await vi.advanceTimersByTimeAsync(500);
    let answer = (_: string) => {};
    const trial = guard.run('search', () => new Promise<string>(resolve => (answer = resolve)));
    await vi.advanceTimersByTimeAsync(0);
    // Beside the one that tries, others are refused rather than queued.
    await expect(guard.run('search', attempt)).rejects.toBeInstanceOf(CircuitOpenError);
    answer('well');
    expect(await outcomeOf(trial)).toEqual({ value: 'well' });
    expect(await outcomeOf(guard.run('search', attempt))).toEqual({ value: 'answer' });
    expect(states).toEqual(['open', 'half-open', 'closed']);
    expect(guard.figures.refused).toBe(2);
  });

  it('opens again when the one that tries fails', async () => {
    for (let call = 0; call < 4; call++) {
      await outcomeOf(guard.run('search', failing('lasting')));
    }
    await vi.advanceTimersByTimeAsync(500);
    await outcomeOf(guard.run('search', failing('lasting')));
    expect(states).toEqual(['open', 'half-open', 'open']);
  });

  it('never moves its breaker for long calls, which it refuses too', async () => {
    for (let call = 0; call < 10; call++) {
      await outcomeOf(guard.runLong(failing('lasting')));
    }
    expect(states).toEqual([]);
    for (let call = 0; call < 4; call++) {
      await outcomeOf(guard.run('search', failing('lasting')));
    }
    const attempt = vi.fn(async () => {});
    expect(await outcomeOf(guard.runLong(attempt))).toMatchObject({
      error: { name: 'CircuitOpenError' },
    });
    expect(attempt).not.toHaveBeenCalled();
  });
});
