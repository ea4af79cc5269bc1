import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { TestRuntime } from './testRuntime';

/** Between two looks, so that the writers get on, in milliseconds. */
const PAUSE_MS = 30;

/** What is stored for each document, as one text by entity id; equal for equal rows. */
export type IndexDigest = ReadonlyMap<string, string>;

/** All of one statement: what a reader sees at a moment. */
const DIGEST = `
  select entity_id as "entityId",
    md5(string_agg(concat_ws(' ', id, content_hash, vector_hash), ',' order by id collate "C")) as digest,
    count(*)::int = max(total_chunks) and min(total_chunks) = max(total_chunks) as whole
  from embeddings group by entity_id`;

/**
 * Reads an index again and again while it is written, and remembers the first thing that it must not
 * see: a document of which a part is old and a part new, one that is gone or old again after it was
 * new, or an index with nothing in it.
 */
export class IndexReader {
  /** Looks at the whole table. */
  looks = 0;
  /** Searches that found something. */
  searches = 0;
  private fault: Error | undefined;
  private isStopped = false;
  private readonly latest = new Map<string, number>();
  private readonly work: Promise<unknown>;

  /**
   * @param generations - what each generation of the documents is when it is indexed, in order.
   * @param current - the number of the last that may be seen, from 0; the one before is seen as well.
   */
  constructor(
    private readonly client: Client,
    private readonly runtime: Pick<TestRuntime, 'search'>,
    private readonly generations: readonly IndexDigest[],
    private readonly current: () => number,
  ) {
    this.work = Promise.all([this.repeat(() => this.look()), this.repeat(() => this.search())]);
  }

  /** @throws what was seen and must not be. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.work;
    if (this.fault) {
      throw this.fault;
    }
  }

  private async repeat(read: () => Promise<void>): Promise<void> {
    while (!this.isStopped && !this.fault) {
      try {
        await read();
      } catch (error) {
        this.fault ??= error as Error;
      }
      await delay(PAUSE_MS);
    }
  }

  private async look(): Promise<void> {
    const before = this.current();
    const { rows } = await this.client.query<{ entityId: string; digest: string; whole: boolean }>(
      DIGEST,
    );
    this.looks += 1;
    const seen = new Map(rows.map(({ entityId, digest }) => [entityId, digest]));
    const parts = rows.filter(({ whole }) => !whole).map(({ entityId }) => entityId);
    if (parts.length > 0) {
      throw new Error(`A reader saw a part of ${parts.join(', ')}`);
    }
    const known = [...(this.generations[before - 1]?.keys() ?? [])];
    for (const entityId of new Set([...seen.keys(), ...known, ...this.latest.keys()])) {
      this.check(entityId, seen.get(entityId), this.current());
    }
  }

  /** A document is as in the generation in which it was seen last, or as in a later one. */
  private check(entityId: string, digest: string | undefined, current: number): void {
    const first = Math.max(this.latest.get(entityId) ?? 0, current - 1);
    for (let generation = Math.max(0, first); generation <= current; generation++) {
      if (this.generations[generation]?.get(entityId) === digest) {
        this.latest.set(entityId, generation);
        return;
      }
    }
    // Before it was indexed for the first time.
    if (digest === undefined && !this.latest.has(entityId)) {
      return;
    }
    throw new Error(
      `A reader saw ${entityId} ${digest === undefined ? 'gone' : 'as it never was'}, in generation ${current}`,
    );
  }

  private async search(): Promise<void> {
    const wasFilled = this.latest.size > 0;
    const results = await this.runtime.search({ query: 'who is on call', topK: 3, mode: 'vector' });
    if (wasFilled && results.length === 0) {
      throw new Error('A search found nothing although there is something');
    }
    this.searches += results.length > 0 ? 1 : 0;
  }
}

export async function readDigest(client: Client): Promise<IndexDigest> {
  const { rows } = await client.query<{ entityId: string; digest: string }>(DIGEST);
  return new Map(rows.map(({ entityId, digest }) => [entityId, digest]));
}
