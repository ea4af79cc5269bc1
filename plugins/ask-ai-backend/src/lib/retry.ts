import { setTimeout as delay } from 'node:timers/promises';
import { unlessAborted } from './unlessAborted';

/** Time, so that tests need not wait. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** How often and how long to try. Durations in milliseconds. */
export interface RetryPolicy {
  /** Calls in all, the first one included. */
  maxAttempts: number;
  /** Before the second call; it doubles with every further one. */
  baseDelayMs: number;
  maxDelayMs: number;
  /** A server that asks for a longer wait is called again after this. */
  maxRetryAfterMs: number;
  /** No wait goes beyond this time after the start. */
  deadlineMs: number;
}

export interface RetryOptions extends RetryPolicy {
  /** Default: what says `isRetryable: true`. */
  isRetryable?: (error: unknown) => boolean;
  /** Before each wait. */
  onRetry?: (error: unknown, waitMs: number) => void;
  signal?: AbortSignal;
  clock?: Clock;
  /** From 0 to below 1. */
  random?: () => number;
}

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/**
 * Calls again as long as errors say `isRetryable: true`, after the time in their `retryAfterMs`, else
 * after an exponential delay with jitter, so that callers who failed together do not come back together.
 *
 * @throws the last error, or the signal's reason, at once, whether or not `attempt` heeds the signal.
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, clock = systemClock, random = Math.random } = options;
  const mayRetry = options.isRetryable ?? isRetryable;
  const deadline = clock.now() + options.deadlineMs;
  for (let failures = 1; ; failures++) {
    signal?.throwIfAborted();
    try {
      return await unlessAborted(attempt(), signal);
    } catch (error) {
      signal?.throwIfAborted();
      const waitMs = delayAfter(error, failures, options, random);
      const isOver = failures >= options.maxAttempts || clock.now() + waitMs > deadline;
      if (!mayRetry(error) || isOver) throw error;
      options.onRetry?.(error, waitMs);
      await clock.sleep(waitMs, signal);
    }
  }
}

/** Half of the delay is fixed, the other half random. */
function delayAfter(
  error: unknown,
  failures: number,
  { baseDelayMs, maxDelayMs, maxRetryAfterMs }: RetryPolicy,
  random: () => number,
): number {
  const backoffMs = Math.min(maxDelayMs, baseDelayMs * 2 ** (failures - 1));
  const jitterMs = (random() * backoffMs) / 2;
  const retryAfterMs = readRetryAfterMs(error);
  return retryAfterMs === undefined
    ? backoffMs / 2 + jitterMs
    : Math.min(retryAfterMs, maxRetryAfterMs) + jitterMs;
}

function isRetryable(error: unknown): boolean {
  return error instanceof Error && 'isRetryable' in error && error.isRetryable === true;
}

function readRetryAfterMs(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('retryAfterMs' in error)) return undefined;
  return typeof error.retryAfterMs === 'number' ? error.retryAfterMs : undefined;
}
