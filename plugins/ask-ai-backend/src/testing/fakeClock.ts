import type { Clock } from '../lib/retry';

/** Time that passes only while somebody sleeps. */
export class FakeClock implements Clock {
  time = 0;
  /** Milliseconds, in the order in which they were slept. */
  readonly sleeps: number[] = [];

  now(): number {
    return this.time;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.sleeps.push(ms);
    this.time += ms;
  }
}
