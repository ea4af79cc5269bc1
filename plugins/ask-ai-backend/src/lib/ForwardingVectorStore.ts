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

/** A store that does what the one behind it does: what a decorator does not change. */
export abstract class ForwardingVectorStore implements IVectorStore {
  protected constructor(protected readonly inner: IVectorStore) {}

  get dimensions(): number {
    return this.inner.dimensions;
  }

  store(embedding: EmbeddingVector): Promise<void> {
    return this.inner.store(embedding);
  }

  storeBatch(embeddings: EmbeddingVector[]): Promise<void> {
    return this.inner.storeBatch(embeddings);
  }

  storeAll(embeddings: EmbeddingStream, options?: LoadOptions): Promise<LoadResult> {
    return this.inner.storeAll(embeddings, options);
  }

  replaceAll(
    embeddings: EmbeddingStream,
    options?: LoadOptions & { documents?(): Iterable<StoredDocument> },
  ): Promise<LoadResult> {
    return this.inner.replaceAll(embeddings, options);
  }

  search(
    queryVector: ArrayLike<number>,
    topK: number,
    filter?: string | SearchFilter,
  ): Promise<SearchResult[]> {
    return this.inner.search(queryVector, topK, filter);
  }

  searchRanked(query: RankedQuery): Promise<RankedResult[]> {
    return this.inner.searchRanked(query);
  }

  clear(entityId?: string): Promise<void> {
    return this.inner.clear(entityId);
  }

  count(entityId?: string): Promise<number> {
    return this.inner.count(entityId);
  }

  stats(): Promise<StoreStats> {
    return this.inner.stats();
  }

  embeddingSpace(): Promise<EmbeddingSpace | undefined> {
    return this.inner.embeddingSpace();
  }

  useEmbeddingSpace(space: EmbeddingSpace): Promise<void> {
    return this.inner.useEmbeddingSpace(space);
  }

  changeEmbeddingSpace(
    space: EmbeddingSpace,
    embed: EmbedChunks,
    options?: ReembedOptions,
  ): Promise<ReembedResult> {
    return this.inner.changeEmbeddingSpace(space, embed, options);
  }

  vectorIndex(): Promise<VectorIndexStatus | undefined> {
    return this.inner.vectorIndex();
  }

  prepareForMany(): Promise<void> {
    return this.inner.prepareForMany();
  }

  refreshStatistics(): Promise<void> {
    return this.inner.refreshStatistics();
  }

  export(options?: { after?: string }): AsyncIterable<EmbeddingVector> {
    return this.inner.export(options);
  }

  documents(): AsyncIterable<StoredDocument> {
    return this.inner.documents();
  }

  document(key: DocumentKey): Promise<StoredDocument | undefined> {
    return this.inner.document(key);
  }

  chunkIds(key: DocumentKey): Promise<Set<string>> {
    return this.inner.chunkIds(key);
  }

  chunks(key: DocumentKey, range: { from: number; to: number }): Promise<DocumentChunk[]> {
    return this.inner.chunks(key, range);
  }

  replaceDocuments(
    replacements: readonly DocumentReplacement[],
    options?: WriteOptions & { space?: EmbeddingSpace },
  ): Promise<{ removed: number }> {
    return this.inner.replaceDocuments(replacements, options);
  }

  removeDocument(key: DocumentKey, options?: WriteOptions): Promise<{ removed: number }> {
    return this.inner.removeDocument(key, options);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
