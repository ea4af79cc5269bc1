import { setMaxListeners } from 'node:events';
import { LRUCache } from 'lru-cache';
import { unlessAborted } from '../unlessAborted';
import type { SharedTier } from './SharedTier';

/** What a cache was asked and what came of it, counted since the start. */
export interface CacheFigures {
  /** Answered from this process. */
  localHits: number;
  /** Answered from the cache that all replicas share. */
  sharedHits: number;
  /** Answered by an equal call that was under way. */
  joined: number;
  misses: number;
  /** Neither tier could be trusted, so that neither was asked; counted by whoever knows that. */
  bypassed: number;
}

/** Bounds of a cache. */
export interface CacheBounds {
  /** How long something is kept, counted from when it was asked for. */
  ttlMs: number;
  /** In this process. */
  maxEntries: number;
  /** In this process. */
  maxBytes: number;
}

/** One question to a cache. */
export interface CachedCall<T> {
  /** Names the result among those of this process. */
  key: string;
  /** Names it among those of all replicas; left out where these may not be asked. */
  sharedKey?: string;
  /** Asks whoever knows. Its signal aborts when nobody waits any more. */
  load(signal: AbortSignal): Promise<T>;
  /** What may not be kept is answered and forgotten. Default: everything may. */
  isKept?(value: T): boolean;
  signal?: AbortSignal;
}

export interface TwoTierCacheOptions<T> extends CacheBounds {
  shared?: SharedTier;
  /** Values are kept as text: nobody can change what others are given, and its length is its size. */
  encode(value: T): string;
  /** @returns `undefined` when the text is none of these. */
  decode(text: string): T | undefined;
  /** For tests. Milliseconds since 1970. */
  now?: () => number;
}

/** What the shared tier holds: when it was asked for, since a delayed write would count from its end. */
interface Kept {
  at: number;
  text: string;
}

interface Flight<T> {
  result: Promise<{ value: T; text: string }>;
  waiting: number;
  stop: AbortController;
}

/**
 * Results in this process, bounded, and in the cache that all replicas share; equal calls that are under
 * way are one. A load that fails is kept nowhere, and everybody who waited for it is told.
 */
export class TwoTierCache<T> {
  readonly figures: CacheFigures = {
    localHits: 0,
    sharedHits: 0,
    joined: 0,
    misses: 0,
    bypassed: 0,
  };
  private readonly local: LRUCache<string, string>;
  private readonly flights = new Map<string, Flight<T>>();
  private readonly now: () => number;

  constructor(private readonly options: TwoTierCacheOptions<T>) {
    const { maxEntries, maxBytes, ttlMs } = options;
    this.now = options.now ?? Date.now;
    this.local = new LRUCache({
      max: maxEntries,
      maxSize: maxBytes,
      // A text takes two bytes a character at most.
      sizeCalculation: (text, key) => 2 * (text.length + key.length),
      ttl: ttlMs,
      ...(options.now && { perf: { now: options.now } }),
    });
  }

  async get(call: CachedCall<T>): Promise<T> {
    call.signal?.throwIfAborted();
    const text = this.local.get(call.key);
    const known = text === undefined ? undefined : this.options.decode(text);
    if (known !== undefined) {
      this.figures.localHits += 1;
      return known;
    }
    const flight = this.flights.get(call.key);
    if (flight) {
      this.figures.joined += 1;
      const joined = await this.wait(flight, call);
      return this.options.decode(joined.text) ?? joined.value;
    }
    return (await this.wait(this.take(call), call)).value;
  }

  clear(): void {
    this.local.clear();
  }

  private take(call: CachedCall<T>): Flight<T> {
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const flight = { result: this.fetch(call, stop.signal), waiting: 0, stop };
    this.flights.set(call.key, flight);
    const land = () => {
      if (this.flights.get(call.key) === flight) this.flights.delete(call.key);
    };
    flight.result.then(land, land);
    return flight;
  }

  private async wait(flight: Flight<T>, { key, signal }: CachedCall<T>) {
    flight.waiting += 1;
    try {
      return await unlessAborted(flight.result, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        // Nobody may join a flight that was called back.
        if (this.flights.get(key) === flight) this.flights.delete(key);
        flight.stop.abort();
      }
    }
  }

  private async fetch(call: CachedCall<T>, signal: AbortSignal) {
    const at = this.now();
    const shared = await this.readShared(call);
    if (shared) {
      this.figures.sharedHits += 1;
      return shared;
    }
    this.figures.misses += 1;
    const value = await call.load(signal);
    const text = this.options.encode(value);
    if (call.isKept?.(value) ?? true) {
      this.keepLocally(call.key, text, at);
      this.keepShared(call, { at, text });
    }
    return { value, text };
  }

  private async readShared({ key, sharedKey }: CachedCall<T>) {
    const { shared, decode } = this.options;
    if (!shared || sharedKey === undefined) {
      return undefined;
    }
    const kept = await shared.attempt(cache => cache.get(sharedKey));
    if (!isKept(kept) || this.remainingMs(kept.at) <= 0) {
      return undefined;
    }
    const value = decode(kept.text);
    if (value === undefined) {
      return undefined;
    }
    this.keepLocally(key, kept.text, kept.at);
    return { value, text: kept.text };
  }

  private keepLocally(key: string, text: string, at: number): void {
    const ttl = this.remainingMs(at);
    if (ttl > 0) {
      this.local.set(key, text, { ttl });
    }
  }

  /** Nobody waits for it. */
  private keepShared({ sharedKey }: CachedCall<T>, kept: Kept): void {
    const ttl = this.remainingMs(kept.at);
    if (sharedKey !== undefined && ttl > 0) {
      this.options.shared?.attempt(cache => cache.set(sharedKey, { ...kept }, { ttl }));
    }
  }

  /** The clock of another replica may be ahead: nothing is kept longer than from now. */
  private remainingMs(at: number): number {
    const { ttlMs } = this.options;
    return Math.min(ttlMs, Math.floor(at + ttlMs - this.now()));
  }
}

function isKept(value: unknown): value is Kept {
  const { at, text } = (value ?? {}) as Partial<Kept>;
  return typeof at === 'number' && typeof text === 'string';
}
