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
  EmbeddingSpace,
  EmbeddingStream,
  EmbeddingVector,
  IVectorStore,
  LoadOptions,
  LoadResult,
  RankedQuery,
  StoredDocument,
  StoreStats,
} from 'backstage-plugin-ask-ai-node';
import { ConflictError, VectorStoreUnavailableError } from '../errors';
import { wholeTopK } from '../lib/topK';
import {
  normaliseFilter,
  validateEmbeddings,
  validateQueryVector,
  validateRankedQuery,
  validateRecord,
  validateReplacement,
} from '../lib/validation';
import { DocumentTable } from './memory/DocumentTable';
import { assertDimensions, assertSameSpace, isSameSpace } from './memory/embeddingSpace';
import { ReplacingLoad } from './memory/ReplacingLoad';
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
  private table: DocumentTable;
  /** The load that is to replace the table. */
  private load: ReplacingLoad | undefined;
  private space: EmbeddingSpace | undefined;
  private readonly closing = new AbortController();

  private constructor(private currentDimensions: number) {
    this.table = new DocumentTable(currentDimensions);
  }

  /** @throws ConfigurationError when the dimensions are no whole number of at least 1. */
  static create(options: InMemoryVectorStoreOptions = {}): InMemoryVectorStore {
    const { dimensions = DEFAULT_DIMENSIONS, logger } = options;
    assertDimensions(dimensions);
    logger?.info('Vector store: memory. What is indexed is gone after a restart.');
    return new InMemoryVectorStore(dimensions);
  }

  get dimensions(): number {
    return this.currentDimensions;
  }

  store(embedding: EmbeddingVector): Promise<void> {
    return this.storeBatch([embedding]);
  }

  async storeBatch(embeddings: EmbeddingVector[]): Promise<void> {
    this.assertOpen();
    this.write(embeddings);
  }

  async storeAll(embeddings: EmbeddingStream, options: LoadOptions = {}): Promise<LoadResult> {
    this.assertOpen();
    return writeStream(embeddings, options, this.closing.signal, (batch, firstIndex) =>
      this.write(batch, firstIndex),
    );
  }

  async replaceAll(
    embeddings: EmbeddingStream,
    options: LoadOptions & { documents?(): Iterable<StoredDocument> } = {},
  ): Promise<LoadResult> {
    this.assertOpen();
    if (this.load) {
      throw new ConflictError(
        'Another load is replacing what is stored: try again when it has ended.',
      );
    }
    const load = new ReplacingLoad(this.dimensions);
    this.load = load;
    try {
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
      this.table = load.finish(records, this.table);
      return result;
    } finally {
      this.load = undefined;
    }
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
    const { chunks } = this.table;
    return chunks.nearest(toQuery(queryVector), options).map(({ item, score }) => ({
      documentChunk: chunks.chunkOf(item),
      similarity: score,
    }));
  }

  async searchRanked(query: RankedQuery): Promise<RankedResult[]> {
    this.assertOpen();
    validateRankedQuery(query, this.dimensions);
    const topK = wholeTopK(query.topK);
    if (topK === 0) {
      return [];
    }
    return searchRanked(this.table.chunks, {
      mode: query.mode,
      text: query.text,
      query: query.vector && toQuery(query.vector),
      topK,
      filter: normaliseFilter(query.filter),
    });
  }

  async clear(entityId?: string): Promise<void> {
    this.assertOpen();
    if (entityId === undefined) {
      this.table = new DocumentTable(this.dimensions);
      this.load?.touchAll();
    } else {
      const removed = this.table.removeEntities(new Set([entityId]));
      this.load?.touchEntity(entityId);
      this.load?.touchChunks(removed);
    }
  }

  async count(entityId?: string): Promise<number> {
    this.assertOpen();
    const { chunks } = this.table;
    return entityId === undefined ? chunks.size : chunks.rowsOf(entityId).length;
  }

  async stats(): Promise<StoreStats> {
    this.assertOpen();
    const { size, entityCount } = this.table.chunks;
    return { vectorCount: size, entityCount };
  }

  async embeddingSpace(): Promise<EmbeddingSpace | undefined> {
    this.assertOpen();
    return this.space && { ...this.space };
  }

  /** @throws also ConflictError, for another space while an empty store is being loaded. */
  async useEmbeddingSpace(space: EmbeddingSpace): Promise<void> {
    this.assertOpen();
    assertDimensions(space.dimensions);
    const current = this.space ?? { dimensions: this.dimensions };
    if (this.table.chunks.size > 0) {
      assertSameSpace(current, space);
    } else if (this.load && !isSameSpace(current, space)) {
      throw new ConflictError(
        'The store is being loaded with vectors of another embedding space: try again when that has ended.',
      );
    }
    if (space.dimensions !== this.dimensions) {
      this.currentDimensions = space.dimensions;
      this.table.changeDimensions(space.dimensions);
    }
    const { provider, model, dimensions, chunkerVersion } = space;
    this.space = { provider, model, dimensions, chunkerVersion };
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
  async *export(): AsyncIterable<EmbeddingVector> {
    this.assertOpen();
    for (const id of this.table.chunks.ids()) {
      this.assertOpen();
      const row = this.table.chunks.find(id);
      if (row !== undefined) {
        yield this.table.chunks.embeddingOf(row);
      }
    }
  }

  async *documents(): AsyncIterable<StoredDocument> {
    this.assertOpen();
    for (const key of this.table.documentKeys()) {
      this.assertOpen();
      const record = this.table.record(key);
      if (record) {
        yield record;
      }
    }
  }

  async document(key: DocumentKey): Promise<StoredDocument | undefined> {
    this.assertOpen();
    return this.table.record(key);
  }

  async chunkIds({ entityId, source }: DocumentKey): Promise<Set<string>> {
    this.assertOpen();
    const { chunks } = this.table;
    return new Set(chunks.rowsOf(entityId, source).map(row => chunks.idOf(row)));
  }

  async chunks(key: DocumentKey, range: { from: number; to: number }): Promise<DocumentChunk[]> {
    this.assertOpen();
    return this.table.chunksOf(key, range);
  }

  async replaceDocuments(
    replacements: readonly DocumentReplacement[],
  ): Promise<{ removed: number }> {
    this.assertOpen();
    for (const replacement of replacements) {
      validateReplacement(replacement, this.dimensions);
    }
    const { written, removed } = this.table.replaceDocuments(replacements);
    for (const key of replacements) {
      this.load?.touchDocument(key);
    }
    this.load?.touchChunks([...written, ...removed]);
    return { removed: removed.length };
  }

  async removeDocument(key: DocumentKey): Promise<{ removed: number }> {
    this.assertOpen();
    const removed = this.table.removeDocument(key);
    this.load?.touchDocument(key);
    this.load?.touchChunks(removed);
    return { removed: removed.length };
  }

  async close(): Promise<void> {
    this.closing.abort(new VectorStoreUnavailableError('The vector store is closed.'));
    this.table = new DocumentTable(this.dimensions);
  }

  private write(embeddings: EmbeddingVector[], firstIndex = 0): void {
    validateEmbeddings(embeddings, this.dimensions, firstIndex);
    this.table.chunks.putAll(embeddings);
    this.load?.touchChunks(embeddings.map(({ id }) => id));
  }

  private assertOpen(): void {
    this.closing.signal.throwIfAborted();
  }
}
