import type { DocumentChunk, DocumentSource, SearchFilter } from 'backstage-plugin-ask-ai-common';
import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import { type Scored, TopK } from '../../lib/topK';
import { entityKind, entityNamespace } from '../../lib/validation';
import { KeywordIndex } from './KeywordIndex';
import { type Query, VectorMatrix } from './VectorMatrix';

/** A row. The chunk is the table's own: it is copied on its way in and on its way out. */
interface Row {
  readonly id: string;
  readonly chunk: DocumentChunk;
}

/** What a leg of a search looks for. */
export interface LegOptions {
  topK: number;
  /** As `normaliseFilter` gives it. */
  filter: SearchFilter;
}

/**
 * Rows of chunks with all that finds them: by id, by entity, by vector and by words. A row is a
 * number; that of a removed chunk is given to the next one that is added. Nothing here is
 * asynchronous, so every method is one atomic step to the callers of the store.
 */
export class ChunkTable {
  private readonly rows: (Row | undefined)[] = [];
  private readonly freeRows: number[] = [];
  private readonly rowById = new Map<string, number>();
  private readonly rowsByEntity = new Map<string, Set<number>>();
  private readonly vectors: VectorMatrix;
  private readonly keywords = new KeywordIndex();

  constructor(dimensions: number) {
    this.vectors = new VectorMatrix(dimensions);
  }

  get size(): number {
    return this.rowById.size;
  }

  get entityCount(): number {
    return this.rowsByEntity.size;
  }

  /** In their order; those that come after one. */
  ids(after?: string): string[] {
    const ids = [...this.rowById.keys()].sort();
    return after === undefined ? ids : ids.filter(id => id > after);
  }

  find(id: string): number | undefined {
    return this.rowById.get(id);
  }

  idOf(row: number): string {
    return this.row(row).id;
  }

  /** A copy. */
  chunkOf(row: number): DocumentChunk {
    return copyChunk(this.row(row).chunk);
  }

  /** A copy. */
  embeddingOf(row: number): EmbeddingVector {
    const { id, chunk } = this.row(row);
    const vector = this.vectors.get(row);
    return { id, chunkId: chunk.id, vector, documentChunk: copyChunk(chunk) };
  }

  rowsOf(entityId: string, source?: DocumentSource): number[] {
    const rows = [...(this.rowsByEntity.get(entityId) ?? [])];
    return source === undefined
      ? rows
      : rows.filter(row => this.row(row).chunk.metadata.source === source);
  }

  similarity(query: Query, row: number): number {
    return this.vectors.similarity(query, row);
  }

  /** Room for all of them is made first: a batch that does not fit into memory changes nothing. */
  putAll(embeddings: readonly EmbeddingVector[]): void {
    const added = new Set(embeddings.map(({ id }) => id).filter(id => !this.rowById.has(id)));
    this.vectors.reserve(this.rows.length + Math.max(0, added.size - this.freeRows.length));
    for (const { id, vector, documentChunk } of embeddings) {
      const present = this.rowById.get(id);
      const row = present ?? this.freeRows.pop() ?? this.rows.length;
      this.vectors.set(row, vector);
      this.setChunk(row, id, documentChunk);
    }
  }

  /** Gives a row that is there another chunk; its vector stays. */
  update(row: number, chunk: DocumentChunk): void {
    this.setChunk(row, this.row(row).id, chunk);
  }

  remove(row: number): void {
    this.rowById.delete(this.row(row).id);
    this.detach(row);
    this.vectors.unset(row);
    this.rows[row] = undefined;
    this.freeRows.push(row);
  }

  /** The nearest rows by cosine similarity, best first. */
  nearest(query: Query, { topK, filter }: LegOptions): Scored[] {
    const top = this.top(topK, filter.minSimilarity);
    this.vectors.offerNearest(query, top, this.select(filter)?.rows);
    return top.best();
  }

  /**
   * The rows that the words of a question name best, best first.
   *
   * @param query - with it the filter's `minSimilarity` holds.
   */
  matching(text: string, query: Query | undefined, { topK, filter }: LegOptions): Scored[] {
    const { minSimilarity } = filter;
    const top = this.top(topK);
    const selection = this.select(filter);
    this.keywords.offerMatches(
      text,
      top,
      row =>
        (selection === undefined || selection.has(row)) &&
        (query === undefined ||
          minSimilarity === undefined ||
          this.similarity(query, row) >= minSimilarity),
    );
    return top.best();
  }

  /** Of rows that are equally good, the one with the lower chunk id is better. */
  precedes = (a: number, b: number): boolean => {
    const rowA = this.row(a);
    const rowB = this.row(b);
    return rowA.chunk.id === rowB.chunk.id ? rowA.id < rowB.id : rowA.chunk.id < rowB.chunk.id;
  };

  private top(topK: number, minScore?: number): TopK {
    return new TopK(topK, this.precedes, minScore);
  }

  /** The rows that a filter leaves, or `undefined` when it leaves all. */
  private select(filter: SearchFilter): { rows: number[]; has(row: number): boolean } | undefined {
    const entities = this.selectEntities(filter);
    const sources = filter.sources && new Set(filter.sources);
    if (!entities && !sources) {
      return undefined;
    }
    const rows: number[] = [];
    for (const entityId of entities ?? this.rowsByEntity.keys()) {
      for (const row of this.rowsByEntity.get(entityId) ?? []) {
        if (!sources || sources.has(this.row(row).chunk.metadata.source)) {
          rows.push(row);
        }
      }
    }
    return {
      rows,
      has: row => {
        const { entityId, metadata } = this.row(row).chunk;
        return (!entities || entities.has(entityId)) && (!sources || sources.has(metadata.source));
      },
    };
  }

  private selectEntities({ entityIds, kinds, namespaces }: SearchFilter): Set<string> | undefined {
    if (!entityIds && !kinds && !namespaces) {
      return undefined;
    }
    const candidates = entityIds ?? [...this.rowsByEntity.keys()];
    return new Set(
      candidates.filter(
        entityId =>
          (!kinds || kinds.includes(entityKind(entityId))) &&
          (!namespaces || namespaces.includes(entityNamespace(entityId))),
      ),
    );
  }

  private setChunk(row: number, id: string, chunk: DocumentChunk): void {
    if (this.rows[row]) {
      this.detach(row);
    }
    this.rows[row] = { id, chunk: copyChunk(chunk) };
    this.rowById.set(id, row);
    const ofEntity = this.rowsByEntity.get(chunk.entityId);
    if (ofEntity) {
      ofEntity.add(row);
    } else {
      this.rowsByEntity.set(chunk.entityId, new Set([row]));
    }
    this.keywords.add(row, chunk.content, chunk.metadata.title);
  }

  private detach(row: number): void {
    const { entityId } = this.row(row).chunk;
    const ofEntity = this.rowsByEntity.get(entityId);
    ofEntity?.delete(row);
    if (ofEntity?.size === 0) {
      this.rowsByEntity.delete(entityId);
    }
    this.keywords.remove(row);
  }

  private row(row: number): Row {
    const found = this.rows[row];
    if (!found) {
      throw new RangeError(`Row ${row} holds no chunk.`);
    }
    return found;
  }
}

/** Only the fields of the contract; what is absent stays absent. */
function copyChunk({ id, entityId, entityName, content, metadata }: DocumentChunk): DocumentChunk {
  const { source, chunkIndex, totalChunks, title, location } = metadata;
  return {
    id,
    entityId,
    entityName,
    content,
    metadata: {
      source,
      chunkIndex,
      totalChunks,
      ...(title !== undefined && { title }),
      ...(location !== undefined && { location }),
    },
  };
}
