import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import type { RankedResult, SearchFilter, SearchResult } from 'backstage-plugin-ask-ai-common';
import type {
  DocumentKey,
  DocumentReplacement,
  EmbedChunks,
  EmbeddingSpace,
  EmbeddingStream,
  EmbeddingVector,
  IVectorStore,
  LoadOptions,
  LoadResult,
  RankedQuery,
  ReembedOptions,
  ReembedResult,
  StoredDocument,
  WriteOptions,
} from 'backstage-plugin-ask-ai-node';
import { Generations } from '../lib/cache/Generations';
import { type SharedCache, SharedTier } from '../lib/cache/SharedTier';
import { type CacheBounds, type CacheFigures, TwoTierCache } from '../lib/cache/TwoTierCache';
import { ForwardingVectorStore } from '../lib/ForwardingVectorStore';

/** How a store is cached. */
export interface CachedVectorStoreOptions extends CacheBounds {
  /** Backstage's cache service where it is one that all replicas share; left out: this process alone. */
  cache?: SharedCache;
  /** For one call of `cache`; beyond it the search goes on without. Default 100. */
  timeoutMs?: number;
  /** Names the store among all that use the same cache service; equal on all replicas. */
  name?: string;
}

const DEFAULT_TIMEOUT_MS = 100;

type Hits = SearchResult[] | RankedResult[];

/**
 * A store whose searches are answered from what equal searches found a short while ago: in this process,
 * and in the cache that the replicas share.
 *
 * A search that begins after a write through this class was acknowledged never returns what that write
 * removed: on the same replica, and on others where they share a cache that both can reach. Otherwise it
 * may, until the time to live has passed. Why that holds is told at {@link Generations}. What follows from
 * it:
 *
 * - Each search reads the shared generation first, a round trip also for what lies in this process; `npm
 *   run bench -- cache` measures it. Nothing less tells a replica at once of another one's write.
 * - While the generation can't be read, neither tier is trusted and every search goes to the store, so that
 *   they are slower and never staler. Not even equal ones are one: the other may have begun before a write.
 * - A write whose new generation the shared cache did not take is acknowledged all the same: a cache that
 *   is down fails nothing. It is told again every second until it is taken; until then this process uses
 *   no cache, and others may answer with what they keep until it expires. The same holds for a process
 *   that is killed between commit and acknowledgement, and for who writes past this class, such as the
 *   command line that works on the database itself.
 * - A write that failed may have committed, so it counts as one that did.
 * - A shared cache that goes back in time, such as one restored from a snapshot, may bring back a generation
 *   that this process never met, and with it what was found before its own last write, until that expires.
 * - Clocks of replicas that differ make results expire sooner, or later by that difference.
 *
 * It knows of no caller: whatever decides who may see what must lie above it.
 */
export class CachedVectorStore extends ForwardingVectorStore {
  private readonly searches: TwoTierCache<Hits>;
  private readonly generations: Generations;
  private readonly prefix: string;

  private constructor(
    inner: IVectorStore,
    { cache, timeoutMs = DEFAULT_TIMEOUT_MS, name = 'store', ...bounds }: CachedVectorStoreOptions,
  ) {
    super(inner);
    const shared = cache && SharedTier.create({ cache, timeoutMs });
    this.prefix = `search:${name}`;
    this.generations = new Generations(shared, `generation:${name}`);
    this.searches = new TwoTierCache({
      ...bounds,
      shared,
      encode: hits => JSON.stringify(hits),
      decode: text => JSON.parse(text),
    });
  }

  static create(inner: IVectorStore, options: CachedVectorStoreOptions): CachedVectorStore {
    return new CachedVectorStore(inner, options);
  }

  /** How often the cache answered, counted since the start. */
  get figures(): Readonly<CacheFigures> {
    return this.searches.figures;
  }

  override store(embedding: EmbeddingVector): Promise<void> {
    return this.write(() => this.inner.store(embedding));
  }

  override storeBatch(embeddings: EmbeddingVector[]): Promise<void> {
    return this.write(() => this.inner.storeBatch(embeddings));
  }

  override storeAll(embeddings: EmbeddingStream, options?: LoadOptions): Promise<LoadResult> {
    return this.write(() => this.inner.storeAll(embeddings, options));
  }

  override replaceAll(
    embeddings: EmbeddingStream,
    options?: LoadOptions & { documents?(): Iterable<StoredDocument> },
  ): Promise<LoadResult> {
    return this.write(() => this.inner.replaceAll(embeddings, options));
  }

  override search(
    queryVector: ArrayLike<number>,
    topK: number,
    filter?: string | SearchFilter,
  ): Promise<SearchResult[]> {
    const vector = copyOf(queryVector);
    const wanted = structuredClone(filter);
    return this.cached(['search', vector, topK, wanted], () =>
      this.inner.search(vector, topK, wanted),
    );
  }

  override searchRanked(query: RankedQuery): Promise<RankedResult[]> {
    const { mode, text, topK } = query;
    const vector = query.vector && copyOf(query.vector);
    const filter = structuredClone(query.filter);
    const space = query.space && { ...query.space };
    return this.cached(['ranked', mode, text, vector, space, topK, filter], () =>
      this.inner.searchRanked({ mode, text, vector, space, topK, filter }),
    ) as Promise<RankedResult[]>;
  }

  override clear(entityId?: string): Promise<void> {
    return this.write(() => this.inner.clear(entityId));
  }

  override useEmbeddingSpace(space: EmbeddingSpace): Promise<void> {
    return this.write(() => this.inner.useEmbeddingSpace(space));
  }

  override changeEmbeddingSpace(
    space: EmbeddingSpace,
    embed: EmbedChunks,
    options?: ReembedOptions,
  ): Promise<ReembedResult> {
    return this.write(() => this.inner.changeEmbeddingSpace(space, embed, options));
  }

  /** Changes ranks, so it counts as a write. */
  override refreshStatistics(): Promise<void> {
    return this.write(() => this.inner.refreshStatistics());
  }

  override replaceDocuments(
    replacements: readonly DocumentReplacement[],
    options?: WriteOptions & { space?: EmbeddingSpace },
  ): Promise<{ removed: number }> {
    return this.write(() => this.inner.replaceDocuments(replacements, options));
  }

  override removeDocument(key: DocumentKey, options?: WriteOptions): Promise<{ removed: number }> {
    return this.write(() => this.inner.removeDocument(key, options));
  }

  override async close(): Promise<void> {
    this.generations.close();
    this.searches.clear();
    await this.inner.close();
  }

  private async write<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      await this.generations.advance();
    }
  }

  private async cached<T extends Hits>(query: unknown[], load: () => Promise<T>): Promise<T> {
    const name = createHash('sha256').update(serialize(query)).digest('base64url');
    const generation = await this.generations.current();
    if (!generation) {
      this.searches.figures.bypassed += 1;
      return load();
    }
    const { epoch, token } = generation;
    const hits = await this.searches.get({
      key: `${epoch}:${token}:${name}`,
      sharedKey: token && `${this.prefix}:${token}:${name}`,
      load,
    });
    return hits as T;
  }
}

/** The caller may change its vector while the search waits. What is no number is for the store to refuse. */
function copyOf(vector: ArrayLike<number>): ArrayLike<number> {
  if (vector instanceof Float32Array || vector instanceof Float64Array) {
    return new Float64Array(vector);
  }
  const numbers = Array.from(vector);
  return numbers.every(number => typeof number === 'number') ? new Float64Array(numbers) : numbers;
}
