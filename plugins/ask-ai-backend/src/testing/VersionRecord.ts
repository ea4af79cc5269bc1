import { setTimeout as delay } from 'node:timers/promises';
import { pollUntil } from '../../../../tests/services/poll';
import type { CachedReplica } from './startCachedReplica';

/** Time to find something in the cache between two writes. */
const WRITE_PAUSE_MS = 60;

interface Version {
  writer: number;
  acknowledgedAt: number;
  /** The caches were there all the time from the beginning of the write until its acknowledgement. */
  wasTold: boolean;
}

/** Writes and searches on replicas that share a cache, and what was seen against what was promised. */
export class VersionRecord {
  readonly failures: unknown[] = [];
  /** Searches that found less than a search had to find that began when they began. */
  readonly breaches: unknown[] = [];
  /** Whether all replicas reach the shared cache: what is written is then seen at once. */
  isUp = false;
  /** Left out: they take turns. */
  onlyWriter: number | undefined;
  searches = 0;
  staleWithinPromise = 0;
  /** From the acknowledgement of the first version that was not seen until the search began. */
  longestStaleMs = 0;
  slowestMs = 0;
  private readonly versions: Version[] = [];

  constructor(
    private readonly replicas: readonly CachedReplica[],
    private readonly ttlMs: number,
  ) {}

  get writes(): number {
    return this.versions.length;
  }

  /** Works until the signal comes. */
  async run(signal: AbortSignal): Promise<void> {
    const readers = this.replicas.flatMap((_, replica) =>
      [1, 2, 3].map(topK => this.read({ replica, topK }, signal)),
    );
    await Promise.all([this.write(signal), ...readers]);
  }

  /** Resolves when all replicas answer from what they keep, and what was told late is told. */
  async untilCached(): Promise<void> {
    for (const replica of this.replicas) {
      const { localHits, sharedHits } = await replica.figures();
      await pollUntil('Answers from the caches', 30_000, async () => {
        const figures = await replica.figures();
        return (figures.localHits > localHits && figures.sharedHits > sharedHits) || undefined;
      });
    }
    const { writes } = this;
    await pollUntil('Further writes', 30_000, () => this.writes > writes + 4 || undefined);
  }

  describe(): string {
    return (
      `${this.searches} searches beside ${this.writes} writes: ${this.failures.length} failed, ` +
      `${this.breaches.length} stale beyond the promise, ${this.staleWithinPromise} within the time to live ` +
      `(at most ${Math.round(this.longestStaleMs)} of ${this.ttlMs} ms), slowest ${Math.round(this.slowestMs)} ms`
    );
  }

  private async write(signal: AbortSignal): Promise<void> {
    for (let version = 1; !signal.aborted; version++) {
      const writer = this.onlyWriter ?? version % this.replicas.length;
      const { isUp } = this;
      await this.replicas[writer]?.write(version).catch(error => this.failures.push(error));
      const acknowledgedAt = performance.now();
      this.versions.push({ writer, acknowledgedAt, wasTold: isUp && this.isUp });
      await delay(WRITE_PAUSE_MS);
    }
  }

  private async read(
    { replica, topK }: { replica: number; topK: number },
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      const startedAt = performance.now();
      const { writes } = this;
      const mustSee = this.newestThatMustBeSeen(replica, startedAt);
      try {
        const seen = (await this.replicas[replica]?.search(topK)) ?? 0;
        if (seen < mustSee) this.breaches.push({ replica, seen, mustSee });
        if (seen < writes) {
          this.staleWithinPromise += seen < mustSee ? 0 : 1;
          const staleMs = startedAt - (this.versions[seen] as Version).acknowledgedAt;
          this.longestStaleMs = Math.max(this.longestStaleMs, staleMs);
        }
      } catch (error) {
        this.failures.push(error);
      }
      this.searches += 1;
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt);
      await delay(1);
    }
  }

  private newestThatMustBeSeen(replica: number, now: number): number {
    const index = this.versions.findLastIndex(
      ({ writer, acknowledgedAt, wasTold }) =>
        writer === replica || wasTold || acknowledgedAt < now - this.ttlMs,
    );
    return index + 1;
  }
}
