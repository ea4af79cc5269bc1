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
  WriteOptions,
} from 'backstage-plugin-ask-ai-node';
import type { DatabaseConnection } from '../database/connection';
import { countAll, countChunks } from '../database/counts';
import { DatabaseCalls } from '../database/DatabaseCalls';
import {
  clearDocuments,
  readChunkIds,
  readChunks,
  readDocument,
  readDocuments,
  removeDocument,
  replaceDocuments,
} from '../database/documentRows';
import {
  assertSpace,
  claimEmbeddingSpace,
  readEmbeddingSpace,
  searchInSpace,
} from '../database/embeddingSpace';
import { exportEmbeddings } from '../database/exportRows';
import { StoreLoads } from '../database/load/StoreLoads';
import { openStoreDatabase, type StoreDatabaseOptions } from '../database/openStoreDatabase';
import { createRankedSearch, type SearchRanked } from '../database/rankedSearch';
import { discardReembedding } from '../database/reembed/reembed';
import { assertRunIsOurs } from '../database/runRows';
import type { StoreUpkeep } from '../database/StoreUpkeep';
import { SlowSearches } from '../database/slowSearches';
import { upsertEmbeddings } from '../database/upsert';
import type { VectorIndex } from '../database/vectorIndex/VectorIndex';
import { createVectorSearch, type VectorSearch } from '../database/vectorSearch';
import { VectorStoreUnavailableError } from '../errors';
import { collapseDuplicates } from '../lib/fusion';
import { wholeTopK } from '../lib/topK';
import {
  normaliseFilter,
  toStorable,
  validateEmbeddings,
  validateQueryVector,
  validateRankedQuery,
  validateReplacement,
} from '../lib/validation';

/** How to make a {@link PgVectorStore}. */
export type PgVectorStoreOptions = StoreDatabaseOptions;

/**
 * The store on PostgreSQL with pgvector, on a server or embedded (PGlite): one code path through
 * Drizzle's query builder. See `IVectorStore` for the contract.
 */
export class PgVectorStore implements IVectorStore {
  private readonly searchByVector: VectorSearch;
  private readonly searchByRank: SearchRanked;
  private readonly loads: StoreLoads;

  private constructor(
    private readonly connection: DatabaseConnection,
    private readonly calls: DatabaseCalls,
    /** Measures, explains, calibrates and rebuilds the vector index. */
    readonly index: VectorIndex,
    private readonly upkeep: StoreUpkeep,
    { logger, slowQueryMillis = 0, onSlowSearch }: PgVectorStoreOptions,
  ) {
    const { db } = connection.reader;
    const settings = () => index.settings;
    const slow = new SlowSearches(db, settings, logger, { slowQueryMillis, onSlowSearch });
    this.searchByVector = slow.watchVector(createVectorSearch(db, settings));
    this.searchByRank = slow.watchRanked(createRankedSearch(db, settings));
    this.loads = new StoreLoads(connection, index, upkeep);
  }

  /**
   * Connects, migrates unless told not to, and checks that server and extension are recent enough. An
   * index that is not as the options want it is then rebuilt behind the scenes.
   *
   * @throws VectorStoreUnavailableError or VectorStoreSchemaError, with the remedy.
   */
  static async create(options: PgVectorStoreOptions): Promise<PgVectorStore> {
    const { connection, index, upkeep } = await openStoreDatabase(options);
    const calls = new DatabaseCalls(connection, upkeep.signal);
    return new PgVectorStore(connection, calls, index, upkeep, options);
  }

  get dimensions(): number {
    return this.index.dimensions;
  }

  store(embedding: EmbeddingVector): Promise<void> {
    return this.storeBatch([embedding]);
  }

  async storeBatch(batch: EmbeddingVector[]): Promise<void> {
    validateEmbeddings(batch, this.dimensions);
    if (batch.length === 0) {
      return;
    }
    await this.calls.transaction('store embeddings', transaction =>
      upsertEmbeddings(transaction, batch),
    );
    this.upkeep.noteWritten(batch.length);
  }

  storeAll(stream: EmbeddingStream, options: LoadOptions = {}): Promise<LoadResult> {
    const load = () => this.loads.storeAll(stream, options);
    return this.calls.run('store embeddings', load, options.signal);
  }

  replaceAll(
    stream: EmbeddingStream,
    options: LoadOptions & { documents?(): Iterable<StoredDocument> } = {},
  ): Promise<LoadResult> {
    const load = () => this.loads.replaceAll(stream, options);
    return this.calls.run('replace what is stored', load, options.signal);
  }

  async search(
    queryVector: ArrayLike<number>,
    topK: number,
    filter?: string | SearchFilter,
  ): Promise<SearchResult[]> {
    await this.learnDimensions(queryVector);
    validateQueryVector(queryVector, this.dimensions);
    const wholeK = wholeTopK(topK);
    if (wholeK === 0) {
      return [];
    }
    return this.calls.run('search the vector store', async () => {
      await this.index.refresh();
      return this.searchByVector(queryVector, wholeK, normaliseFilter(filter));
    });
  }

  searchRanked(query: RankedQuery): Promise<RankedResult[]> {
    const { space } = query;
    return this.calls.run('search the vector store', () =>
      space
        ? searchInSpace(this.connection.reader, this.index, space, () => this.rank(query))
        : this.rank(query),
    );
  }

  private async rank(query: RankedQuery): Promise<RankedResult[]> {
    await this.learnDimensions(query.vector);
    validateRankedQuery(query, this.dimensions);
    const topK = wholeTopK(query.topK);
    if (topK === 0) {
      return [];
    }
    const filter = normaliseFilter(query.filter);
    await this.index.refresh();
    const hits = await this.searchByRank({
      ...query,
      text: toStorable(query.text),
      topK,
      filter,
    });
    return collapseDuplicates(hits).slice(0, topK);
  }

  /** Another replica may have given the store, when it was empty, the dimension of this vector. */
  private async learnDimensions(vector: ArrayLike<number> | undefined): Promise<void> {
    if (vector && vector.length !== this.dimensions) await this.index.refresh(0);
  }

  async clear(entityId?: string): Promise<void> {
    await this.calls.runFor(entityId, 'clear the vector store', undefined, () =>
      entityId === undefined
        ? this.upkeep.clearAll()
        : this.connection.transaction(transaction => clearDocuments(transaction, entityId)),
    );
  }

  count(entityId?: string): Promise<number> {
    return this.calls.runFor(entityId, 'count embeddings', 0, db => countChunks(db, entityId));
  }

  stats(): Promise<StoreStats> {
    return this.calls.run('count embeddings', countAll);
  }

  embeddingSpace(): Promise<EmbeddingSpace | undefined> {
    return this.calls.run('read the embedding space', readEmbeddingSpace);
  }

  async useEmbeddingSpace(space: EmbeddingSpace): Promise<void> {
    await this.upkeep.ready();
    await this.calls.run('set the embedding space', () =>
      claimEmbeddingSpace(this.connection, space),
    );
    await this.calls.run('read the embedding space', () => this.index.refresh(0));
  }

  changeEmbeddingSpace(
    space: EmbeddingSpace,
    embed: EmbedChunks,
    options: ReembedOptions = {},
  ): Promise<ReembedResult> {
    const change = () => this.loads.changeSpace(space, embed, options);
    return this.calls.run('change the embedding space', change, options.signal);
  }

  /** Removes what an interrupted `changeEmbeddingSpace` left. @returns the space that it was for. */
  discardChangeOfSpace(): Promise<EmbeddingSpace | undefined> {
    return this.calls.run('remove what was left', () => discardReembedding(this.connection.admin));
  }

  vectorIndex(): Promise<VectorIndexStatus> {
    return this.calls.run('read the state of the vector index', () => this.index.status());
  }

  async prepareForMany(): Promise<void> {
    await this.calls.run('prepare for many rows', () => this.upkeep.prepareForMany());
  }

  async refreshStatistics(): Promise<void> {
    await this.calls.run('refresh statistics', () => this.upkeep.refresh());
  }

  export({ after }: { after?: string } = {}): AsyncIterable<EmbeddingVector> {
    return this.calls.iterate('export embeddings', db => exportEmbeddings(db, after));
  }

  documents(): AsyncIterable<StoredDocument> {
    return this.calls.iterate('list documents', readDocuments);
  }

  document(key: DocumentKey): Promise<StoredDocument | undefined> {
    return this.calls.runFor(key.entityId, 'read a document', undefined, db =>
      readDocument(db, key),
    );
  }

  chunkIds(key: DocumentKey): Promise<Set<string>> {
    return this.calls.runFor(key.entityId, 'read a document', new Set(), db =>
      readChunkIds(db, key),
    );
  }

  chunks(key: DocumentKey, range: { from: number; to: number }): Promise<DocumentChunk[]> {
    return this.calls.runFor(key.entityId, 'read a document', [], db => readChunks(db, key, range));
  }

  async replaceDocuments(
    replacements: readonly DocumentReplacement[],
    { space, runId }: WriteOptions & { space?: EmbeddingSpace } = {},
  ): Promise<{ removed: number }> {
    for (const replacement of replacements) {
      validateReplacement(replacement, this.dimensions);
    }
    return this.calls.transaction('replace documents', async transaction => {
      const result = await replaceDocuments(transaction, replacements);
      if (space) {
        // Last: the lock on the rows keeps the store in its space until the transaction ends.
        await assertSpace(transaction, space);
      }
      await assertRunIsOurs(transaction, runId);
      return result;
    });
  }

  removeDocument(key: DocumentKey, { runId }: WriteOptions = {}): Promise<{ removed: number }> {
    return this.calls.runFor(key.entityId, 'remove a document', { removed: 0 }, () =>
      this.connection.transaction(async transaction => {
        const result = await removeDocument(transaction, key);
        await assertRunIsOurs(transaction, runId);
        return result;
      }),
    );
  }

  async close(): Promise<void> {
    await this.upkeep.stop(new VectorStoreUnavailableError('The vector store is closed.'));
    await this.loads.ended();
    await this.connection.close();
  }
}
