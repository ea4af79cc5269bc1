import type { CacheService } from '@backstage/backend-plugin-api';

/** How long a cache that failed is left alone, in milliseconds. */
const LEFT_ALONE_MS = 1_000;

/** Calls that may wait for a cache that hangs: they are never called back, and hold memory. */
const MOST_WAITING = 1_000;

/** What is used of Backstage's cache service. */
export type SharedCache = Pick<CacheService, 'get' | 'set'>;

export interface SharedTierOptions {
  cache: SharedCache;
  /** For one call. */
  timeoutMs: number;
  /** For tests. Milliseconds that never go back. */
  now?: () => number;
}

/**
 * Backstage's cache service over Redis or Valkey, as a part that may be away at any moment. No call rejects
 * or takes longer than `timeoutMs`, and for a second after a failure there is none but `insist`.
 *
 * Needed because of how the cache service behaves, measured with backend-defaults 0.18 and a real server
 * that was killed, stopped (SIGSTOP) and started again:
 *
 * - While the server is away or hangs, calls wait in the client's queue, without a limit.
 * - Errors are swallowed: a `get` that failed looks like a key that is not there, a `set` that failed like
 *   one that worked.
 * - `backend.cache.store: valkey` (@keyv/valkey 1.0) connects again by itself, to Valkey and to Redis.
 * - `redis` (@keyv/redis 4.6 over @redis/client 1.6) does not. Backstage listens for errors of the adapter,
 *   but nobody for those of its client, where a lost connection is one. That is an uncaught exception, which
 *   also ends what would have connected again: all later calls wait for ever. The process goes on, since a
 *   Backstage backend logs uncaught exceptions. Known as github.com/jaredwray/keyv/issues/1798 and
 *   github.com/backstage/backstage/issues/31742. The client can't be reached from a plugin.
 */
export class SharedTier {
  private leftAloneUntil = Number.NEGATIVE_INFINITY;
  private waiting = 0;
  private readonly now: () => number;

  private constructor(private readonly options: SharedTierOptions) {
    this.now = options.now ?? (() => performance.now());
  }

  static create(options: SharedTierOptions): SharedTier {
    return new SharedTier(options);
  }

  /**
   * What the work gives, or `undefined` when it fails, takes too long or the cache is left alone. Work
   * that gives `undefined` in time has not failed.
   */
  async attempt<T>(work: (cache: SharedCache) => Promise<T>): Promise<T | undefined> {
    return this.now() < this.leftAloneUntil ? undefined : this.insist(work);
  }

  /** The same, also while the cache is left alone. */
  async insist<T>(work: (cache: SharedCache) => Promise<T>): Promise<T | undefined> {
    if (this.leftAloneUntil > Number.NEGATIVE_INFINITY) {
      // One call finds out whether it is back, not all that come meanwhile.
      this.leave();
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, this.options.timeoutMs, new Error('The cache took too long.'));
    });
    try {
      const result = await Promise.race([this.begin(work), late]);
      this.leftAloneUntil = Number.NEGATIVE_INFINITY;
      return result;
    } catch {
      this.leave();
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  private leave(): void {
    this.leftAloneUntil = this.now() + LEFT_ALONE_MS;
  }

  private async begin<T>(work: (cache: SharedCache) => Promise<T>): Promise<T> {
    if (this.waiting >= MOST_WAITING) {
      throw new Error('Too many calls wait for the cache.');
    }
    this.waiting += 1;
    try {
      return await work(this.options.cache);
    } finally {
      this.waiting -= 1;
    }
  }
}
