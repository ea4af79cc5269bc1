import { randomUUID } from 'node:crypto';
import type { SharedCache, SharedTier } from './SharedTier';

/** How often a change that could not be told is told again, in milliseconds. */
const TELL_AGAIN_MS = 1_000;

/** Tokens that are remembered as over: some 1 MB, and as many writes by which a snapshot may be behind. */
const MOST_RETIRED = 10_000;

/** What a search may take from the caches: results of the same generation. */
export interface Generation {
  /** Of this process; another one after each write here. */
  epoch: number;
  /** Of all replicas; absent where there is no shared cache. */
  token?: string;
}

/**
 * The generation of what is stored, which every write replaces by a new one.
 *
 * The shared part is a random token under one key of the shared cache. A token is current from when it was
 * set until the next one is, and never again. A write sets a new one after it has committed and before it
 * is acknowledged; a search reads the token before it asks the store, and its result is kept under that
 * token. So whatever is kept under a token comes from a search that began after the token was set, and a
 * search that begins after an acknowledgement reads the writer's token or a later one: it can't meet what
 * was found before the write committed.
 *
 * Tokens are random rather than counted, so that one is never met twice when the shared cache forgets. One
 * that comes back, as from a snapshot, is replaced again by every process that saw it replaced; a process
 * that did not can't know.
 */
export class Generations {
  private epoch = 0;
  /** Changes that were made here, and how many of them the current token is later than. */
  private changes = 0;
  private told = 0;
  private last: string | undefined;
  private readonly retired = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  /** @param key - of the token; the same on all replicas of a store, and no other's. */
  constructor(
    private readonly shared: SharedTier | undefined,
    private readonly key: string,
  ) {}

  /** The present one; `undefined` while it can't be known, and nothing that is kept can be trusted. */
  async current(): Promise<Generation | undefined> {
    const { epoch, shared } = this;
    if (this.isClosed) {
      return undefined;
    }
    if (!shared) {
      return { epoch };
    }
    const token = await shared.attempt(async cache => {
      const found = this.told < this.changes ? undefined : await cache.get<string>(this.key);
      return typeof found === 'string' && this.observe(found) ? found : this.replace(cache);
    });
    return token === undefined || this.told < this.changes ? undefined : { epoch, token };
  }

  /** A write has committed or may have; resolves when no later search meets what was kept before. */
  async advance(): Promise<void> {
    this.epoch += 1;
    if (!this.shared || this.isClosed) {
      return;
    }
    // Until that is told, no search of this process uses the shared cache.
    this.changes += 1;
    await this.tell(this.shared);
  }

  /** From now on nothing that is kept is used. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private async tell(shared: SharedTier): Promise<void> {
    await shared.insist(cache => this.replace(cache));
    if (this.told < this.changes && !this.isClosed) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.tell(shared), TELL_AGAIN_MS).unref();
    }
  }

  /** @throws Error when the shared cache did not take the new token, which it does not tell by itself. */
  private async replace(cache: SharedCache) {
    const { changes } = this;
    const token = randomUUID();
    await cache.set(this.key, token);
    const found = await cache.get<string>(this.key);
    if (typeof found !== 'string' || !this.observe(found)) {
      throw new Error('The shared cache does not keep what it is given.');
    }
    // Another replica's is as good: it was set after ours.
    this.told = Math.max(this.told, changes);
    return found;
  }

  /** @returns whether the token was never replaced by another one. */
  private observe(token: string): boolean {
    if (this.retired.has(token)) {
      return false;
    }
    if (this.last !== undefined && this.last !== token) {
      this.retired.add(this.last);
      for (const oldest of this.retired) {
        if (this.retired.size <= MOST_RETIRED) break;
        this.retired.delete(oldest);
      }
    }
    this.last = token;
    return true;
  }
}
