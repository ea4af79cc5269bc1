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
import type { Database, DatabaseConnection } from '../database/connection';
import { countAll, countChunks } from '../database/counts';
import { translateDatabaseError } from '../database/databaseErrors';
import {
  clearDocuments,
  readChunkIds,
  readChunks,
  readDocument,
  readDocuments,
  removeDocument,
  replaceDocument,
} from '../database/documentRows';
import {
  changeDimensions,
  claimEmbeddingSpace,
  readDimensions,
  readEmbeddingSpace,
} from '../database/embeddingSpace';
import { exportEmbeddings } from '../database/exportRows';
import { refreshKeywordStatistics } from '../database/keywordStatistics';
import { migrate } from '../database/migrator';
import {
  openPostgresConnection,
  type PostgresConnectionOptions,
} from '../database/postgresConnection';
import { searchRanked } from '../database/rankedSearch';
import { assertSupportedServer } from '../database/serverVersion';
import { upsertEmbeddings } from '../database/upsert';
import { createVectorSearch, type VectorSearch } from '../database/vectorSearch';
import { VectorStoreUnavailableError } from '../errors';
import { collapseDuplicates } from '../lib/fusion';
import { wholeTopK } from '../lib/topK';
import {
  isStorable,
  normaliseFilter,
  toStorable,
  validateEmbeddings,
  validateQueryVector,
  validateRankedQuery,
  validateReplacement,
} from '../lib/validation';

/** How to make a {@link PgVectorStore}. */
export interface PgVectorStoreOptions {
  logger: Pick<LoggerService, 'debug' | 'info' | 'warn'>;
  /** The server; or give `connection`. */
  postgresql?: PostgresConnectionOptions;
  /** An open connection, which the store then owns and closes. */
  connection?: DatabaseConnection;
  /** `false` leaves the schema as it is. Default `true`. */
  migrate?: boolean;
  /** What an empty store takes; the default is what the database has, 384 in a new one. */
  dimensions?: number;
}

/**
 * The store on PostgreSQL with pgvector, on a server or embedded (PGlite): one code path through
 * Drizzle's query builder. See `IVectorStore` for the contract.
 */
export class PgVectorStore implements IVectorStore {
  private readonly searchByVector: VectorSearch;
  private closed = false;

  private constructor(
    private readonly connection: DatabaseConnection,
    private currentDimensions: number,
  ) {
    this.searchByVector = createVectorSearch(connection.db);
  }

  /**
   * Connects, migrates unless told not to, and checks that server and extension are recent enough.
   *
   * @throws VectorStoreUnavailableError or VectorStoreSchemaError, with the remedy.
   */
  static async create(options: PgVectorStoreOptions): Promise<PgVectorStore> {
    const connection = options.connection ?? open(options);
    try {
      await assertSupportedServer(connection.db);
      if (options.migrate ?? true) {
        const applied = await migrate(connection);
        if (applied > 0) {
          options.logger.info(`Applied ${applied} migrations to ${connection.description}`);
        }
      }
      if (options.dimensions !== undefined) {
        await changeDimensions(connection, options.dimensions);
      }
      return new PgVectorStore(connection, await readDimensions(connection.db));
    } catch (error) {
      await connection.close();
      throw translateDatabaseError(error, 'open the vector store', connection.description);
    }
  }

  get dimensions(): number {
    return this.currentDimensions;
  }

  store(embedding: EmbeddingVector): Promise<void> {
    return this.storeBatch([embedding]);
  }

  async storeBatch(batch: EmbeddingVector[]): Promise<void> {
    validateEmbeddings(batch, this.dimensions);
    if (batch.length === 0) {
      return;
    }
    await this.transaction('store embeddings', transaction => upsertEmbeddings(transaction, batch));
  }

  async search(
    queryVector: ArrayLike<number>,
    topK: number,
    filter?: string | SearchFilter,
  ): Promise<SearchResult[]> {
    validateQueryVector(queryVector, this.dimensions);
    const wholeK = wholeTopK(topK);
    if (wholeK === 0) {
      return [];
    }
    return this.run('search the vector store', () =>
      this.searchByVector(queryVector, wholeK, normaliseFilter(filter)),
    );
  }

  async searchRanked(query: RankedQuery): Promise<RankedResult[]> {
    validateRankedQuery(query, this.dimensions);
    const topK = wholeTopK(query.topK);
    if (topK === 0) {
      return [];
    }
    const filter = normaliseFilter(query.filter);
    const hits = await this.run('search the vector store', db =>
      searchRanked(db, { ...query, text: toStorable(query.text), topK, filter }),
    );
    return collapseDuplicates(hits).slice(0, topK);
  }

  async clear(entityId?: string): Promise<void> {
    await this.runFor(entityId, 'clear the vector store', undefined, () =>
      this.connection.transaction(transaction => clearDocuments(transaction, entityId)),
    );
  }

  count(entityId?: string): Promise<number> {
    return this.runFor(entityId, 'count embeddings', 0, db => countChunks(db, entityId));
  }

  stats(): Promise<StoreStats> {
    return this.run('count embeddings', countAll);
  }

  embeddingSpace(): Promise<EmbeddingSpace | undefined> {
    return this.run('read the embedding space', readEmbeddingSpace);
  }

  async useEmbeddingSpace(space: EmbeddingSpace): Promise<void> {
    await this.run('set the embedding space', () => claimEmbeddingSpace(this.connection, space));
    this.currentDimensions = space.dimensions;
  }

  async refreshStatistics(): Promise<void> {
    await this.transaction('refresh statistics', refreshKeywordStatistics);
  }

  export(): AsyncIterable<EmbeddingVector> {
    return this.iterate('export embeddings', exportEmbeddings);
  }

  documents(): AsyncIterable<StoredDocument> {
    return this.iterate('list documents', readDocuments);
  }

  document(key: DocumentKey): Promise<StoredDocument | undefined> {
    return this.runFor(key.entityId, 'read a document', undefined, db => readDocument(db, key));
  }

  chunkIds(key: DocumentKey): Promise<Set<string>> {
    return this.runFor(key.entityId, 'read a document', new Set(), db => readChunkIds(db, key));
  }

  chunks(key: DocumentKey, range: { from: number; to: number }): Promise<DocumentChunk[]> {
    return this.runFor(key.entityId, 'read a document', [], db => readChunks(db, key, range));
  }

  async replaceDocument(replacement: DocumentReplacement): Promise<{ removed: number }> {
    validateReplacement(replacement, this.dimensions);
    return this.transaction('replace a document', transaction =>
      replaceDocument(transaction, replacement),
    );
  }

  removeDocument(key: DocumentKey): Promise<{ removed: number }> {
    return this.runFor(key.entityId, 'remove a document', { removed: 0 }, () =>
      this.connection.transaction(transaction => removeDocument(transaction, key)),
    );
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.connection.close();
  }

  private transaction<T>(action: string, work: (transaction: Database) => Promise<T>): Promise<T> {
    return this.run(action, () => this.connection.transaction(work));
  }

  /** No row has an id that PostgreSQL can't hold, and the database would refuse to look for it. */
  private async runFor<T>(
    entityId: string | undefined,
    action: string,
    otherwise: T,
    work: (db: Database) => Promise<T>,
  ): Promise<T> {
    this.assertOpen();
    return entityId === undefined || isStorable(entityId) ? this.run(action, work) : otherwise;
  }

  private async run<T>(action: string, work: (db: Database) => Promise<T>): Promise<T> {
    this.assertOpen();
    try {
      return await work(this.connection.db);
    } catch (error) {
      throw translateDatabaseError(error, action, this.connection.description);
    }
  }

  private async *iterate<T>(
    action: string,
    work: (db: Database) => AsyncIterable<T>,
  ): AsyncIterable<T> {
    this.assertOpen();
    try {
      yield* work(this.connection.db);
    } catch (error) {
      throw translateDatabaseError(error, action, this.connection.description);
    }
  }

  private assertOpen(): void {
    if (this.closed) {
      throw new VectorStoreUnavailableError('The vector store is closed.');
    }
  }
}

function open({ postgresql, logger }: PgVectorStoreOptions): DatabaseConnection {
  if (!postgresql) {
    throw new TypeError('PgVectorStore.create needs `postgresql` or `connection`.');
  }
  return openPostgresConnection(postgresql, logger);
}
