import { setTimeout as delay } from 'node:timers/promises';

/** Short enough not to be felt, long enough not to load the processor, in milliseconds. */
const INTERVAL_MS = 20;

/**
 * Asks until the answer is not `undefined` and resolves to it.
 *
 * @throws Error that names `what`, when the deadline passes first.
 */
export async function pollUntil<T>(
  what: string,
  timeoutMs: number,
  ask: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) {
      return answer;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    }
    await delay(INTERVAL_MS);
  }
}
