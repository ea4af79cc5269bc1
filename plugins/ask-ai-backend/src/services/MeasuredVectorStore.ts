import type {
  RankedResult,
  SearchFilter,
  SearchMode,
  SearchResult,
} from 'backstage-plugin-ask-ai-common';
import type {
  DocumentReplacement,
  EmbeddingSpace,
  EmbeddingVector,
  IVectorStore,
  RankedQuery,
  WriteOptions,
} from 'backstage-plugin-ask-ai-node';
import { ForwardingVectorStore } from '../lib/ForwardingVectorStore';
import type { Telemetry } from '../lib/telemetry/Telemetry';

/**
 * A store whose searches and writes are measured. Writes have a span each. Searches do not: one costs as
 * much as everything else around a search; see `tracedSearches`.
 */
export class MeasuredVectorStore extends ForwardingVectorStore {
  private constructor(
    inner: IVectorStore,
    private readonly telemetry: Telemetry,
  ) {
    super(inner);
  }

  static create(inner: IVectorStore, telemetry: Telemetry): MeasuredVectorStore {
    return new MeasuredVectorStore(inner, telemetry);
  }

  override store(embedding: EmbeddingVector): Promise<void> {
    return this.write('store', 1, () => this.inner.store(embedding));
  }

  override storeBatch(embeddings: EmbeddingVector[]): Promise<void> {
    return this.write('store', embeddings.length, () => this.inner.storeBatch(embeddings));
  }

  override search(
    queryVector: ArrayLike<number>,
    topK: number,
    filter?: string | SearchFilter,
  ): Promise<SearchResult[]> {
    return this.read('vector', () => this.inner.search(queryVector, topK, filter));
  }

  override searchRanked(query: RankedQuery): Promise<RankedResult[]> {
    return this.read(query.mode, () => this.inner.searchRanked(query));
  }

  override replaceDocuments(
    replacements: readonly DocumentReplacement[],
    options?: WriteOptions & { space?: EmbeddingSpace },
  ): Promise<{ removed: number }> {
    const chunks = replacements.reduce((sum, { embedded }) => sum + embedded.length, 0);
    return this.write('replace', chunks, () => this.inner.replaceDocuments(replacements, options));
  }

  private read<T>(mode: SearchMode, work: () => Promise<T>): Promise<T> {
    return this.telemetry.time(work, (seconds, outcome) =>
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
