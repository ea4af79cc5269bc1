import type {
  DocumentChunk,
  RankedResult,
  SearchFilter,
  SearchMode,
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
import type { Telemetry } from '../lib/telemetry/Telemetry';

/** A store whose searches and writes are measured and traced; what takes hours has spans of its own. */
export class MeasuredVectorStore implements IVectorStore {
  private constructor(
    private readonly inner: IVectorStore,
    private readonly telemetry: Telemetry,
  ) {}

  static create(inner: IVectorStore, telemetry: Telemetry): MeasuredVectorStore {
    return new MeasuredVectorStore(inner, telemetry);
  }

  get dimensions(): number {
    return this.inner.dimensions;
  }

  store(embedding: EmbeddingVector): Promise<void> {
    return this.write('store', 1, () => this.inner.store(embedding));
  }

  storeBatch(embeddings: EmbeddingVector[]): Promise<void> {
    return this.write('store', embeddings.length, () => this.inner.storeBatch(embeddings));
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
    return this.read('vector', topK, () => this.inner.search(queryVector, topK, filter));
  }

  searchRanked(query: RankedQuery): Promise<RankedResult[]> {
    return this.read(query.mode, query.topK, () => this.inner.searchRanked(query));
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
    const chunks = replacements.reduce((sum, { embedded }) => sum + embedded.length, 0);
    return this.write('replace', chunks, () => this.inner.replaceDocuments(replacements, options));
  }

  removeDocument(key: DocumentKey, options?: WriteOptions): Promise<{ removed: number }> {
    return this.inner.removeDocument(key, options);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  private read<T>(mode: SearchMode, topK: number, work: () => Promise<T>): Promise<T> {
    const attributes = { 'ask_ai.mode': mode, 'ask_ai.top_k': topK };
    return this.telemetry.measure('ask_ai.search', attributes, work, (seconds, outcome) =>
      this.telemetry.record('ask_ai.search.duration', seconds, { mode, outcome }),
    );
  }

  private write<T>(operation: string, chunks: number, work: () => Promise<T>): Promise<T> {
    const attributes = { 'ask_ai.operation': operation, 'ask_ai.chunks': chunks };
    this.telemetry.record('ask_ai.write.batch.size', chunks, { operation });
    return this.telemetry.measure('ask_ai.write', attributes, work, (seconds, outcome) =>
      this.telemetry.record('ask_ai.write.duration', seconds, { operation, outcome }),
    );
  }
}
