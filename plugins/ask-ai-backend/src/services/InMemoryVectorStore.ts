import type { LoggerService } from '@backstage/backend-plugin-api';
import type {
  DocumentChunk,
  RankedResult,
  SearchFilter,
  SearchResult,
} from 'backstage-plugin-ask-ai-common';
import type {
  DocumentKey,
  DocumentReplacement,
  EmbeddingSpace,
  EmbeddingVector,
  IVectorStore,
  RankedQuery,
  StoredDocument,
  StoreStats,
} from 'backstage-plugin-ask-ai-node';
import {
  ConfigurationError,
  ConflictError,
  EmbeddingSpaceMismatchError,
  VectorStoreUnavailableError,
} from '../errors';
import { wholeTopK } from '../lib/topK';
import {
  normaliseFilter,
  validateEmbeddings,
  validateQueryVector,
  validateRankedQuery,
  validateReplacement,
} from '../lib/validation';
import { ChunkTable } from './memory/ChunkTable';
import { searchRanked } from './memory/rankedSearch';
import { toQuery } from './memory/VectorMatrix';

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
  private table: ChunkTable;
  private readonly records = new Map<string, StoredDocument>();
  private space: EmbeddingSpace | undefined;
  private closed = false;

  private constructor(private currentDimensions: number) {
    this.table = new ChunkTable(currentDimensions);
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
    validateEmbeddings(embeddings, this.dimensions);
    this.table.putAll(embeddings);
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
    return this.table.nearest(toQuery(queryVector), options).map(({ item, score }) => ({
      documentChunk: this.table.chunkOf(item),
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
    return searchRanked(this.table, {
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
      this.table = new ChunkTable(this.dimensions);
      this.records.clear();
      return;
    }
    this.removeRows(this.table.rowsOf(entityId));
    for (const [key, record] of this.records) {
      if (record.entityId === entityId) {
        this.records.delete(key);
      }
    }
  }

  async count(entityId?: string): Promise<number> {
    this.assertOpen();
    return entityId === undefined ? this.table.size : this.table.rowsOf(entityId).length;
  }

  async stats(): Promise<StoreStats> {
    this.assertOpen();
    return { vectorCount: this.table.size, entityCount: this.table.entityCount };
  }

  async embeddingSpace(): Promise<EmbeddingSpace | undefined> {
    this.assertOpen();
    return this.space && { ...this.space };
  }

  async useEmbeddingSpace(space: EmbeddingSpace): Promise<void> {
    this.assertOpen();
    assertDimensions(space.dimensions);
    if (this.table.size > 0 && !this.isCompatible(space)) {
      throw new EmbeddingSpaceMismatchError(
        describeSpace(this.space ?? { dimensions: this.dimensions }),
        describeSpace(space),
      );
    }
    if (space.dimensions !== this.dimensions) {
      this.currentDimensions = space.dimensions;
      this.table = new ChunkTable(space.dimensions);
    }
    const { provider, model, dimensions, chunkerVersion } = space;
    this.space = { provider, model, dimensions, chunkerVersion };
  }

  /** Does nothing: ranks rely on counts that every write keeps up to date. */
  async refreshStatistics(): Promise<void> {
    this.assertOpen();
  }

  /** What is there when the iteration starts, each as it is when its turn comes. */
  async *export(): AsyncIterable<EmbeddingVector> {
    this.assertOpen();
    for (const id of this.table.ids()) {
      this.assertOpen();
      const row = this.table.find(id);
      if (row !== undefined) {
        yield this.table.embeddingOf(row);
      }
    }
  }

  async *documents(): AsyncIterable<StoredDocument> {
    this.assertOpen();
    for (const key of [...this.records.keys()].sort()) {
      this.assertOpen();
      const record = this.records.get(key);
      if (record) {
        yield { ...record };
      }
    }
  }

  async document(key: DocumentKey): Promise<StoredDocument | undefined> {
    this.assertOpen();
    const record = this.records.get(recordKey(key));
    return record && { ...record };
  }

  async chunkIds({ entityId, source }: DocumentKey): Promise<Set<string>> {
    this.assertOpen();
    return new Set(this.table.rowsOf(entityId, source).map(row => this.table.idOf(row)));
  }

  async chunks(
    { entityId, source }: DocumentKey,
    { from, to }: { from: number; to: number },
  ): Promise<DocumentChunk[]> {
    this.assertOpen();
    return this.table
      .rowsOf(entityId, source)
      .map(row => this.table.chunkOf(row))
      .filter(({ metadata }) => metadata.chunkIndex >= from && metadata.chunkIndex <= to)
      .sort((a, b) => a.metadata.chunkIndex - b.metadata.chunkIndex || (a.id < b.id ? -1 : 1));
  }

  async replaceDocument(replacement: DocumentReplacement): Promise<{ removed: number }> {
    this.assertOpen();
    validateReplacement(replacement, this.dimensions);
    const { entityId, source, fingerprint, embedded, kept } = replacement;
    const keptRows = kept.map(chunk => this.keptRow(replacement, chunk));
    kept.forEach((chunk, index) => {
      const row = keptRows[index] as number;
      this.table.update(row, { ...chunk, content: this.table.chunkOf(row).content });
    });
    this.table.putAll(embedded);
    const remaining = new Set([...embedded, ...kept].map(({ id }) => id));
    const gone = this.table
      .rowsOf(entityId, source)
      .filter(row => !remaining.has(this.table.idOf(row)));
    this.removeRows(gone);
    const record = { entityId, source, fingerprint, chunkCount: remaining.size };
    this.records.set(recordKey(record), record);
    return { removed: gone.length };
  }

  async removeDocument(key: DocumentKey): Promise<{ removed: number }> {
    this.assertOpen();
    const rows = this.table.rowsOf(key.entityId, key.source);
    this.removeRows(rows);
    this.records.delete(recordKey(key));
    return { removed: rows.length };
  }

  async close(): Promise<void> {
    this.closed = true;
    this.table = new ChunkTable(this.dimensions);
    this.records.clear();
  }

  private keptRow({ entityId, source }: DocumentKey, chunk: DocumentChunk): number {
    const row = this.table.find(chunk.id);
    if (row === undefined || !this.table.rowsOf(entityId, source).includes(row)) {
      throw new ConflictError(
        `Chunk ${chunk.id} is no longer in the store: somebody removed it meanwhile. Index the document again.`,
      );
    }
    return row;
  }

  private isCompatible(space: EmbeddingSpace): boolean {
    const { provider, model, dimensions } = this.space ?? { ...space, dimensions: this.dimensions };
    return provider === space.provider && model === space.model && dimensions === space.dimensions;
  }

  private removeRows(rows: number[]): void {
    for (const row of rows) {
      this.table.remove(row);
    }
  }

  private assertOpen(): void {
    if (this.closed) {
      throw new VectorStoreUnavailableError('The vector store is closed.');
    }
  }
}

/** Sorts by entity id, then by source: NUL comes before any character of an id. */
function recordKey({ entityId, source }: DocumentKey): string {
  return `${entityId}\0${source}`;
}

function assertDimensions(dimensions: number): void {
  if (!Number.isInteger(dimensions) || dimensions < 1) {
    throw new ConfigurationError([
      `Expected the dimensions of the vector store to be an integer of at least 1, got ${dimensions}`,
    ]);
  }
}

function describeSpace({
  provider = 'an unknown provider',
  model = 'an unknown model',
  dimensions,
}: Partial<EmbeddingSpace>): string {
  return `${provider}/${model} (${dimensions} dimensions)`;
}
