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
import { VectorStoreUnavailableError } from '../errors';
import { Guard, type GuardFigures, type GuardObserver } from './resilient/Guard';

/** How a {@link ResilientVectorStore} deals with failures. All durations in milliseconds. */
export interface ResilienceOptions {
  /** Of a call, the first one included. */
  maxAttempts: number;
  /** After that time an attempt to read is given up. */
  attemptTimeoutMillis: number;
  /** A read ends by then, one way or the other. */
  readDeadlineMillis: number;
  /** After that time no further attempt to write begins. */
  writeDeadlineMillis: number;
  /** Outages in a row that open the breaker, of reads or of writes. */
  breakerFailures: number;
  /** How long an open breaker refuses, before one call may try. */
  breakerOpenMillis: number;
  observer?: GuardObserver;
}

/** What happened since the start, by guard. */
export interface ResilienceFigures {
  read: GuardFigures;
  write: GuardFigures;
}

/**
 * A store that repeats what failed for a moment and refuses at once while the store behind it is out of
 * reach: the same port, with `CircuitOpenError` and `DeadlineExceededError` beside its errors. Reads and
 * writes have a breaker each, so that an index run which fails does not refuse searches.
 *
 * - Reads end by their deadline. A statement that was given up ends by its own limits.
 * - Writes are repeated, since each is one transaction and the same after it was carried out twice: an id
 *   is inserted or replaced, a document consists of exactly its chunks, a run that was taken over is
 *   refused each time. Only the number of removed chunks may be told too low, when a commit succeeded
 *   whose answer was lost. A write under way is never given up, or it could be carried out behind the
 *   back of a later one; its statements have limits of their own.
 * - What may take hours (loads, a change of space, clearing everything, upkeep) has no deadline and does
 *   not move the breaker. Streams, in and out, are not repeated: half of one is consumed by then.
 */
export class ResilientVectorStore implements IVectorStore {
  private readonly reads: Guard;
  private readonly writes: Guard;
  private closed: Error | undefined;

  private constructor(
    private readonly inner: () => IVectorStore,
    private readonly closeInner: () => Promise<void>,
    { observer, attemptTimeoutMillis, ...options }: ResilienceOptions,
  ) {
    const { readDeadlineMillis, writeDeadlineMillis } = options;
    this.reads = new Guard(
      'read',
      { ...options, attemptTimeoutMillis, deadlineMillis: readDeadlineMillis },
      observer,
    );
    this.writes = new Guard('write', { ...options, deadlineMillis: writeDeadlineMillis }, observer);
  }

  /** @param inner - the store, or `current`, which gives it or throws why there is none yet. */
  static create(
    inner: Pick<IVectorStore, 'close'> & ({ current(): IVectorStore } | IVectorStore),
    options: ResilienceOptions,
  ): ResilientVectorStore {
    const current = 'current' in inner ? () => inner.current() : () => inner;
    return new ResilientVectorStore(current, () => inner.close(), options);
  }

  get figures(): ResilienceFigures {
    return { read: this.reads.figures, write: this.writes.figures };
  }

  get dimensions(): number {
    return this.inner().dimensions;
  }

  store(embedding: EmbeddingVector): Promise<void> {
    return this.write('store embeddings', store => store.store(embedding));
  }

  storeBatch(embeddings: EmbeddingVector[]): Promise<void> {
    return this.write('store embeddings', store => store.storeBatch(embeddings));
  }

  storeAll(embeddings: EmbeddingStream, options?: LoadOptions): Promise<LoadResult> {
    return this.once(store => store.storeAll(embeddings, options));
  }

  replaceAll(
    embeddings: EmbeddingStream,
    options?: LoadOptions & { documents?(): Iterable<StoredDocument> },
  ): Promise<LoadResult> {
    return this.once(store => store.replaceAll(embeddings, options));
  }

  search(
    queryVector: ArrayLike<number>,
    topK: number,
    filter?: string | SearchFilter,
  ): Promise<SearchResult[]> {
    return this.read('search the vector store', store => store.search(queryVector, topK, filter));
  }

  searchRanked(query: RankedQuery): Promise<RankedResult[]> {
    return this.read('search the vector store', store => store.searchRanked(query));
  }

  clear(entityId?: string): Promise<void> {
    return entityId === undefined
      ? this.long(store => store.clear())
      : this.write('clear the vector store', store => store.clear(entityId));
  }

  count(entityId?: string): Promise<number> {
    return this.read('count embeddings', store => store.count(entityId));
  }

  stats(): Promise<StoreStats> {
    return this.read('count embeddings', store => store.stats());
  }

  embeddingSpace(): Promise<EmbeddingSpace | undefined> {
    return this.read('read the embedding space', store => store.embeddingSpace());
  }

  useEmbeddingSpace(space: EmbeddingSpace): Promise<void> {
    return this.long(store => store.useEmbeddingSpace(space));
  }

  changeEmbeddingSpace(
    space: EmbeddingSpace,
    embed: EmbedChunks,
    options?: ReembedOptions,
  ): Promise<ReembedResult> {
    return this.once(store => store.changeEmbeddingSpace(space, embed, options));
  }

  vectorIndex(): Promise<VectorIndexStatus | undefined> {
    return this.read('read the state of the vector index', store => store.vectorIndex());
  }

  prepareForMany(): Promise<void> {
    return this.long(store => store.prepareForMany());
  }

  refreshStatistics(): Promise<void> {
    return this.long(store => store.refreshStatistics());
  }

  export(options?: { after?: string }): AsyncIterable<EmbeddingVector> {
    return this.stream(store => store.export(options));
  }

  documents(): AsyncIterable<StoredDocument> {
    return this.stream(store => store.documents());
  }

  document(key: DocumentKey): Promise<StoredDocument | undefined> {
    return this.read('read a document', store => store.document(key));
  }

  chunkIds(key: DocumentKey): Promise<Set<string>> {
    return this.read('read a document', store => store.chunkIds(key));
  }

  chunks(key: DocumentKey, range: { from: number; to: number }): Promise<DocumentChunk[]> {
    return this.read('read a document', store => store.chunks(key, range));
  }

  replaceDocuments(
    replacements: readonly DocumentReplacement[],
    options?: WriteOptions & { space?: EmbeddingSpace },
  ): Promise<{ removed: number }> {
    return this.write('replace documents', store => store.replaceDocuments(replacements, options));
  }

  removeDocument(key: DocumentKey, options?: WriteOptions): Promise<{ removed: number }> {
    return this.write('remove a document', store => store.removeDocument(key, options));
  }

  /** Of the store behind it. Whoever calls afterwards is told so: that is no outage, which opens a breaker. */
  close(): Promise<void> {
    this.closed ??= new VectorStoreUnavailableError('The vector store is closed.');
    return this.closeInner();
  }

  private open(): IVectorStore {
    if (this.closed) {
      throw this.closed;
    }
    return this.inner();
  }

  private async read<T>(action: string, call: (store: IVectorStore) => Promise<T>): Promise<T> {
    const store = this.open();
    return this.reads.run(action, () => call(store));
  }

  private async write<T>(action: string, call: (store: IVectorStore) => Promise<T>): Promise<T> {
    const store = this.open();
    return this.writes.run(action, () => call(store));
  }

  private async long<T>(call: (store: IVectorStore) => Promise<T>): Promise<T> {
    const store = this.open();
    return this.writes.runLong(() => call(store));
  }

  private async once<T>(call: (store: IVectorStore) => Promise<T>): Promise<T> {
    const store = this.open();
    this.writes.assertClosed();
    return call(store);
  }

  private async *stream<T>(call: (store: IVectorStore) => AsyncIterable<T>): AsyncIterable<T> {
    const store = this.open();
    this.reads.assertClosed();
    yield* call(store);
  }
}
