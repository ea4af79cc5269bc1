import { setTimeout as delay } from 'node:timers/promises';

/** When a number counts as settled. All durations in milliseconds. */
export interface SettleOptions {
  /** Unchanged for this long. */
  stableForMs: number;
  /** Below this, `stableBelowForMs` must have passed instead. */
  expectedAtLeast: number;
  /** How long a number must stay the same that is lower than expected. */
  stableBelowForMs: number;
  /** How often to look. */
  pollMs: number;
  signal: AbortSignal;
  /** For tests. */
  now?: () => number;
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Waits until a count no longer changes: a catalog fills slowly after a start, and one that is still
 * loading must not be taken for one whose entities vanished.
 *
 * @param count - may reject while the source is starting; that counts as a change.
 * @returns the count.
 * @throws the signal's reason.
 */
export async function waitUntilSettled(
  count: () => Promise<number>,
  options: SettleOptions,
): Promise<number> {
  const { now = Date.now, sleep = sleepFor, signal } = options;
  let last: number | undefined;
  let since = now();
  for (;;) {
    signal.throwIfAborted();
    const current = await count().catch(() => undefined);
    if (current === undefined || current !== last) {
      last = current;
      since = now();
    } else {
      const isExpected = current > 0 && current >= options.expectedAtLeast;
      const needed = isExpected ? options.stableForMs : options.stableBelowForMs;
      if (now() - since >= needed) {
        return current;
      }
    }
    await sleep(options.pollMs, signal);
  }
}

async function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal });
}
