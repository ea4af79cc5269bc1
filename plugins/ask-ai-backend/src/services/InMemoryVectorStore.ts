import type { LoggerService } from '@backstage/backend-plugin-api';
import type {
  DocumentChunk,
  RankedResult,
  SearchFilter,
  SearchResult,
  VectorIndexStatus,
} from 'backstage-plugin-ask-ai-common';
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
  StoreStats,
} from 'backstage-plugin-ask-ai-node';
import { VectorStoreUnavailableError } from '../errors';
import { assertDimensions } from '../lib/embeddingSpace';
import { wholeTopK } from '../lib/topK';
import {
  normaliseFilter,
  validateEmbeddings,
  validateQueryVector,
  validateRankedQuery,
  validateRecord,
  validateReplacement,
} from '../lib/validation';
import { LiveTable } from './memory/LiveTable';
import { searchRanked } from './memory/rankedSearch';
import { toQuery } from './memory/VectorMatrix';
import { writeStream } from './memory/writeStream';

/** Of `all-minilm` and of the built-in lexical embedding. */
const DEFAULT_DIMENSIONS = 384;

/** How to make an {@link InMemoryVectorStore}. */
export interface InMemoryVectorStoreOptions {
  /** Numbers in every vector. Default 384. */
  dimensions?: number;
  logger?: Pick<LoggerService, 'info'>;
}

/**
 * The store without a database: everything is in this process and gone when it ends. Its search
 * compares with every vector, so it is exact: the reference that the others are measured by.
 */
export class InMemoryVectorStore implements IVectorStore {
  private readonly live: LiveTable;
  private readonly closing = new AbortController();

  private constructor(dimensions: number) {
    this.live = new LiveTable(dimensions);
  }

  /** @throws ConfigurationError when the dimensions are no whole number of at least 1. */
  static create(options: InMemoryVectorStoreOptions = {}): InMemoryVectorStore {
    const { dimensions = DEFAULT_DIMENSIONS, logger } = options;
    assertDimensions(dimensions);
    logger?.info('Vector store: memory. What is indexed is gone after a restart.');
    return new InMemoryVectorStore(dimensions);
  }

  get dimensions(): number {
    return this.live.dimensions;
  }

  store(embedding: EmbeddingVector): Promise<void> {
    return this.storeBatch([embedding]);
  }

  async storeBatch(embeddings: EmbeddingVector[]): Promise<void> {
    this.assertOpen();
    this.live.write(embeddings);
  }

  async storeAll(embeddings: EmbeddingStream, options: LoadOptions = {}): Promise<LoadResult> {
    this.assertOpen();
    return writeStream(embeddings, options, this.closing.signal, (batch, firstIndex) =>
      this.live.write(batch, firstIndex),
    );
  }

  async replaceAll(
    embeddings: EmbeddingStream,
    options: LoadOptions & { documents?(): Iterable<StoredDocument> } = {},
  ): Promise<LoadResult> {
    this.assertOpen();
    return this.live.replace(async load => {
      const { signal } = this.closing;
      const result = await writeStream(embeddings, options, signal, (batch, firstIndex) => {
        validateEmbeddings(batch, this.dimensions, firstIndex);
        load.putAll(batch);
      });
      const records = [...(options.documents?.() ?? [])];
      records.forEach(validateRecord);
      // The caller's code ran since: it may have ended the load or closed the store.
      options.signal?.throwIfAborted();
      this.assertOpen();
      return { result, records };
    });
  }

  async search(
    queryVector: ArrayLike<number>,
    topK: number,
    filter?: string | SearchFilter,
  ): Promise<SearchResult[]> {
    this.assertOpen();
    validateQueryVector(queryVector, this.dimensions);
    const wanted = wholeTopK(topK);
    if (wanted === 0) {
      return [];
    }
    const options = { topK: wanted, filter: normaliseFilter(filter) };
    const { chunks } = this.live.current;
    return chunks.nearest(toQuery(queryVector), options).map(({ item, score }) => ({
      documentChunk: chunks.chunkOf(item),
      similarity: score,
    }));
  }

  async searchRanked(query: RankedQuery): Promise<RankedResult[]> {
    this.assertOpen();
    this.live.assertSpace(query.space);
    validateRankedQuery(query, this.dimensions);
    const topK = wholeTopK(query.topK);
    if (topK === 0) {
      return [];
    }
    return searchRanked(this.live.current.chunks, {
      mode: query.mode,
      text: query.text,
      query: query.vector && toQuery(query.vector),
      topK,
      filter: normaliseFilter(query.filter),
    });
  }

  async clear(entityId?: string): Promise<void> {
    this.assertOpen();
    this.live.clear(entityId);
  }

  async count(entityId?: string): Promise<number> {
    this.assertOpen();
    const { chunks } = this.live.current;
    return entityId === undefined ? chunks.size : chunks.rowsOf(entityId).length;
  }

  async stats(): Promise<StoreStats> {
    this.assertOpen();
    const { size, entityCount } = this.live.current.chunks;
    return { vectorCount: size, entityCount };
  }

  async embeddingSpace(): Promise<EmbeddingSpace | undefined> {
    this.assertOpen();
    return this.live.space;
  }

  /** @throws also ConflictError, for another space while an empty store is being loaded. */
  async useEmbeddingSpace(space: EmbeddingSpace): Promise<void> {
    this.assertOpen();
    assertDimensions(space.dimensions);
    this.live.useSpace(space);
  }

  async changeEmbeddingSpace(
    space: EmbeddingSpace,
    embed: EmbedChunks,
    options: ReembedOptions = {},
  ): Promise<ReembedResult> {
    this.assertOpen();
    assertDimensions(space.dimensions);
    const { signal } = this.closing;
    const ended = options.signal ? AbortSignal.any([options.signal, signal]) : signal;
    return this.live.changeSpace(space, embed, { ...options, signal: ended });
  }

  async vectorIndex(): Promise<VectorIndexStatus | undefined> {
    this.assertOpen();
    return undefined;
  }

  /** Does nothing: there is no index to be written. */
  async prepareForMany(): Promise<void> {
    this.assertOpen();
  }

  /** Does nothing: ranks rely on counts that every write keeps up to date. */
  async refreshStatistics(): Promise<void> {
    this.assertOpen();
  }

  /** What is there when the iteration starts, each as it is when its turn comes. */
  async *export({ after }: { after?: string } = {}): AsyncIterable<EmbeddingVector> {
    this.assertOpen();
    for (const id of this.live.current.chunks.ids(after)) {
      this.assertOpen();
      const row = this.live.current.chunks.find(id);
      if (row !== undefined) {
        yield this.live.current.chunks.embeddingOf(row);
      }
    }
  }

  async *documents(): AsyncIterable<StoredDocument> {
    this.assertOpen();
    for (const key of this.live.current.documentKeys()) {
      this.assertOpen();
      const record = this.live.current.record(key);
      if (record) {
        yield record;
      }
    }
  }

  async document(key: DocumentKey): Promise<StoredDocument | undefined> {
    this.assertOpen();
    return this.live.current.record(key);
  }

  async chunkIds({ entityId, source }: DocumentKey): Promise<Set<string>> {
    this.assertOpen();
    const { chunks } = this.live.current;
    return new Set(chunks.rowsOf(entityId, source).map(row => chunks.idOf(row)));
  }

  async chunks(key: DocumentKey, range: { from: number; to: number }): Promise<DocumentChunk[]> {
    this.assertOpen();
    return this.live.current.chunksOf(key, range);
  }

  async replaceDocuments(
    replacements: readonly DocumentReplacement[],
    { space }: { space?: EmbeddingSpace } = {},
  ): Promise<{ removed: number }> {
    this.assertOpen();
    this.live.assertSpace(space);
    for (const replacement of replacements) {
      validateReplacement(replacement, this.dimensions);
    }
    return { removed: this.live.replaceDocuments(replacements) };
  }

  async removeDocument(key: DocumentKey): Promise<{ removed: number }> {
    this.assertOpen();
    return { removed: this.live.removeDocument(key) };
  }

  async close(): Promise<void> {
    this.closing.abort(new VectorStoreUnavailableError('The vector store is closed.'));
    this.live.clear();
  }

  private assertOpen(): void {
    this.closing.signal.throwIfAborted();
  }
}
