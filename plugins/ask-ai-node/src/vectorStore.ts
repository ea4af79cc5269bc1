import type {
  DocumentChunk,
  DocumentSource,
  RankedResult,
  SearchFilter,
  SearchMode,
  SearchResult,
  VectorIndexStatus,
} from 'backstage-plugin-ask-ai-common';

/** A chunk with its embedding. */
export interface EmbeddingVector {
  /** Primary key in the store. */
  id: string;
  chunkId: string;
  /** As many finite numbers as the store has dimensions; not all zero. */
  vector: ArrayLike<number>;
  documentChunk: DocumentChunk;
}

/** Names a document: an entity has at most one from each source. */
export interface DocumentKey {
  entityId: string;
  source: DocumentSource;
}

/** What the store knows of a document that was indexed. */
export interface StoredDocument extends DocumentKey {
  /** Equal as long as nothing changed that decides what is stored for the document. */
  fingerprint: string;
  chunkCount: number;
}

/** All that a document consists of after it was replaced. */
export interface DocumentReplacement extends DocumentKey {
  fingerprint: string;
  /** Chunks that are new, with their vectors. */
  embedded: EmbeddingVector[];
  /** Chunks that the store holds already under the same id; their vectors are kept. */
  kept: DocumentChunk[];
}

/** A search by meaning, by words or by both. */
export interface RankedQuery {
  mode: SearchMode;
  /** The question as typed; unused in mode `vector`. */
  text: string;
  /** The question's embedding; may be missing in mode `keyword`. */
  vector?: ArrayLike<number>;
  /**
   * The space that the vector is of: a store that is of another one by then rejects the search with an
   * error named `EmbeddingSpaceMismatchError`.
   */
  space?: EmbeddingSpace;
  topK: number;
  filter?: SearchFilter;
}

/** What embedded the vectors of a store: those of different spaces must never be compared. */
export interface EmbeddingSpace {
  provider: string;
  model: string;
  dimensions: number;
  /** Of the chunker; another version is no other space. */
  chunkerVersion: number;
}

/**
 * Embeds chunks as a store holds them.
 *
 * @returns a vector each, in their order; none for a chunk that can't be embedded.
 */
export type EmbedChunks = (
  chunks: readonly DocumentChunk[],
) => Promise<(ArrayLike<number> | undefined)[]>;

/** How far a store is on its way to another space. */
export interface ReembedProgress {
  /** `embedding` while the model is asked, `indexing` while the vector index is built. */
  phase: 'embedding' | 'indexing';
  /** Chunks that have a vector of the other space, also of an earlier, interrupted call. */
  chunksDone: number;
  chunksTotal: number;
  /** The part of the vector index that is built, 0 to 1; in phase `indexing`, where it is known. */
  indexed?: number;
}

/** Options of a change of space. */
export interface ReembedOptions {
  /** Chunks that are handed out at once, which is what an interruption may cost. Default 500. */
  batchSize?: number;
  /** Called a few times a second at most. */
  onProgress?(progress: ReembedProgress): void;
  /** Ends it, which then rejects with the signal's reason; the store stays in the space it has. */
  signal?: AbortSignal;
}

/** What a change of space did. */
export interface ReembedResult {
  /** Chunks that this call embedded. */
  embedded: number;
  /** Documents of which a chunk could not be embedded: they are no longer in the store. */
  removed: DocumentKey[];
}

/** Size of a store. */
export interface StoreStats {
  vectorCount: number;
  /** Distinct entities with at least one chunk. */
  entityCount: number;
}

/** How far a load is. */
export interface LoadProgress {
  /** `writing` while rows arrive, `indexing` while the vector index is built over them. */
  phase: 'writing' | 'indexing';
  rowsWritten: number;
  /** The part of the vector index that is built, 0 to 1; in phase `indexing`, where it is known. */
  indexed?: number;
}

/** Options of a load. */
export interface LoadOptions {
  /** Called a few times a second at most. */
  onProgress?(progress: LoadProgress): void;
  /** Ends the load, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** What a load did. */
export interface LoadResult {
  /** Embeddings that the stream gave. */
  received: number;
}

/** Options of what an index run writes. */
export interface WriteOptions {
  /**
   * The index run that writes. A store that several processes share rejects with an error named
   * `RunLostError`, and writes nothing, when another process has taken over that run by then.
   */
  runId?: string;
}

/** Embeddings in any number; the store takes the next when it has room. */
export type EmbeddingStream = AsyncIterable<EmbeddingVector> | Iterable<EmbeddingVector>;

/**
 * A store of chunks and their embeddings. Every implementation passes `describeVectorStore` of
 * `backstage-plugin-ask-ai-node/testUtils`.
 *
 * Errors, by `name`: `InvalidVectorError` (a zero vector, NaN, Infinity, a length that float4 can't
 * compare, an empty or overlong id or entity id, a NUL character, an unpaired surrogate, a position
 * that is no whole number, an unknown source), `DimensionMismatchError`, `ConflictError`,
 * `VectorStoreUnavailableError`, `VectorStoreSchemaError`. Input is checked before anything is
 * written.
 */
export interface IVectorStore {
  /** Numbers in every vector of this store. */
  readonly dimensions: number;

  /** Inserts, or replaces what has the same id. */
  store(embedding: EmbeddingVector): Promise<void>;

  /** One atomic unit of any size. Of equal ids the last one wins. An empty list does nothing. */
  storeBatch(embeddings: EmbeddingVector[]): Promise<void>;

  /**
   * Stores a stream of any length in bounded memory. Of equal ids the last one wins. No atomic unit:
   * when it fails or is aborted, a part of the stream may be stored.
   */
  storeAll(embeddings: EmbeddingStream, options?: LoadOptions): Promise<LoadResult>;

  /**
   * Makes the store consist of exactly what the stream gives, in bounded memory and as one atomic
   * unit: searches see all of the old until they see all of the new. What anybody, in any process,
   * writes or removes from when the stream is first read, holds against it. When it fails or is
   * aborted, the store is as if it had never begun.
   *
   * @param options - `documents` are the records that go with the stream; asked for at its end.
   * @throws an error named `ConflictError` when another load is under way.
   */
  replaceAll(
    embeddings: EmbeddingStream,
    options?: LoadOptions & { documents?(): Iterable<StoredDocument> },
  ): Promise<LoadResult>;

  /**
   * The `topK` nearest chunks by cosine similarity, best first; hits of equal similarity by chunk
   * id. `topK <= 0` gives an empty list, fractions are cut off. A filter that is a string is an entity id.
   */
  search(
    queryVector: ArrayLike<number>,
    topK: number,
    filter?: string | SearchFilter,
  ): Promise<SearchResult[]>;

  /**
   * The `topK` best chunks for a question. Mode `hybrid` fuses the vector and the keyword ranks by
   * reciprocal rank; `minSimilarity` applies to every mode that has a vector. A word that no chunk
   * holds never empties the result. Best first; hits of equal score by chunk id.
   */
  searchRanked(query: RankedQuery): Promise<RankedResult[]>;

  /** Removes everything, or what belongs to one entity, with the records of the documents. */
  clear(entityId?: string): Promise<void>;

  /** Chunks in the store, or of one entity. */
  count(entityId?: string): Promise<number>;

  stats(): Promise<StoreStats>;

  /** The space of what is stored; `undefined` until `useEmbeddingSpace` was called once. */
  embeddingSpace(): Promise<EmbeddingSpace | undefined>;

  /**
   * Claims the store for a space. An empty store takes it, with its dimensions; a filled one must
   * have the same provider, model and dimensions. Safe on any number of replicas at once.
   *
   * @throws an error named `EmbeddingSpaceMismatchError` that says the remedy.
   */
  useEmbeddingSpace(space: EmbeddingSpace): Promise<void>;

  /**
   * Takes everything that is stored into another space: the chunks are embedded as they are, and all the
   * new vectors take the place of the old ones at once, which searches see until then. What is written
   * or removed meanwhile is taken along. Where the store outlives the process, a call that was
   * interrupted is gone on with by the next one for the same space. A document of which a chunk can't be
   * embedded is removed with its record, so that the next run takes it up again.
   *
   * @throws an error named `ConflictError` while a load or another change of space is under way.
   */
  changeEmbeddingSpace(
    space: EmbeddingSpace,
    embed: EmbedChunks,
    options?: ReembedOptions,
  ): Promise<ReembedResult>;

  /** The state of the vector index; `undefined` for a store that compares with every vector. */
  vectorIndex(): Promise<VectorIndexStatus | undefined>;

  /**
   * Many rows are about to be written. A store that holds few may go without its vector index, so that
   * searches compare with every vector, until `refreshStatistics` is called at the end.
   */
  prepareForMany(): Promise<void>;

  /**
   * Brings up to date what searches, ranks and plans rely on; called after a run that changed something,
   * and after every `prepareForMany`.
   */
  refreshStatistics(): Promise<void>;

  /**
   * Every chunk with its vector, by id, in pages: memory does not grow with the store.
   *
   * @param options - `after` leaves out that id and all before it, whether or not it is still there.
   */
  export(options?: { after?: string }): AsyncIterable<EmbeddingVector>;

  /** Every document that was indexed, by entity id and source. */
  documents(): AsyncIterable<StoredDocument>;

  /** The record of one document. */
  document(key: DocumentKey): Promise<StoredDocument | undefined>;

  /** Ids of the chunks that the store holds for a document. */
  chunkIds(key: DocumentKey): Promise<Set<string>>;

  /**
   * The chunks of a document whose `chunkIndex` is from `from` to `to`, both included, by position.
   */
  chunks(key: DocumentKey, range: { from: number; to: number }): Promise<DocumentChunk[]>;

  /**
   * Makes each document consist of exactly its chunks, all of them in one atomic unit: readers see the
   * old or the new documents. Rows that did not change stay untouched. Of equal documents the last one
   * wins.
   *
   * @param options - `space` is what the vectors are of: a store that is of another one by then rejects
   * with an error named `EmbeddingSpaceMismatchError` and writes nothing.
   * @returns how many chunks went.
   * @throws an error named `ConflictError`, with nothing written, when a kept chunk is no longer
   * there.
   */
  replaceDocuments(
    replacements: readonly DocumentReplacement[],
    options?: WriteOptions & { space?: EmbeddingSpace },
  ): Promise<{ removed: number }>;

  /** Removes a document and its record. */
  removeDocument(key: DocumentKey, options?: WriteOptions): Promise<{ removed: number }>;

  /** Releases everything the store holds. Further calls reject. Safe to call twice. */
  close(): Promise<void>;
}
