import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import type {
  DocumentKey,
  DocumentReplacement,
  StoredDocument,
} from 'backstage-plugin-ask-ai-node';
import { ConflictError } from '../../errors';
import { lastOfEqualDocuments } from '../../lib/lastOfEqualDocuments';
import { ChunkTable } from './ChunkTable';

/**
 * All that a store consists of: chunks, and the records of the documents they are of. As with
 * {@link ChunkTable}, every method is one atomic step. Input was checked before.
 */
export class DocumentTable {
  private currentChunks: ChunkTable;
  private readonly records = new Map<string, StoredDocument>();

  constructor(dimensions: number) {
    this.currentChunks = new ChunkTable(dimensions);
  }

  get chunks(): ChunkTable {
    return this.currentChunks;
  }

  /** Only while there are no chunks. Documents may be without any, so the records stay. */
  changeDimensions(dimensions: number): void {
    this.currentChunks = new ChunkTable(dimensions);
  }

  /** By entity id and source. */
  documentKeys(): DocumentKey[] {
    return [...this.records]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { entityId, source }]) => ({ entityId, source }));
  }

  /** A copy. */
  record(key: DocumentKey): StoredDocument | undefined {
    const record = this.records.get(recordKey(key));
    return record && { ...record };
  }

  /** Copies, by position. */
  chunksOf(
    { entityId, source }: DocumentKey,
    { from, to }: { from: number; to: number },
  ): DocumentChunk[] {
    return this.chunks
      .rowsOf(entityId, source)
      .map(row => this.chunks.chunkOf(row))
      .filter(({ metadata }) => metadata.chunkIndex >= from && metadata.chunkIndex <= to)
      .sort((a, b) => a.metadata.chunkIndex - b.metadata.chunkIndex || (a.id < b.id ? -1 : 1));
  }

  putRecord({ entityId, source, fingerprint, chunkCount }: StoredDocument): void {
    const record = { entityId, source, fingerprint, chunkCount };
    this.records.set(recordKey(record), record);
  }

  /**
   * @returns the ids of the chunks that were written and of those that went.
   * @throws ConflictError, with nothing changed, when a kept chunk is not there.
   */
  replaceDocuments(replacements: readonly DocumentReplacement[]): {
    written: string[];
    removed: string[];
  } {
    const documents = lastOfEqualDocuments(replacements);
    for (const document of documents) {
      for (const chunk of document.kept) {
        this.keptRow(document, chunk);
      }
    }
    const written = documents.flatMap(({ embedded, kept }) => [...embedded, ...kept]);
    const removed = documents.flatMap(document => this.replaceDocument(document));
    return { written: written.map(({ id }) => id), removed };
  }

  private replaceDocument(replacement: DocumentReplacement): string[] {
    const { entityId, source, fingerprint, embedded, kept } = replacement;
    for (const chunk of kept) {
      const row = this.keptRow(replacement, chunk);
      this.chunks.update(row, { ...chunk, content: this.chunks.chunkOf(row).content });
    }
    this.chunks.putAll(embedded);
    const remaining = new Set([...embedded, ...kept].map(({ id }) => id));
    const gone = this.chunks
      .rowsOf(entityId, source)
      .filter(row => !remaining.has(this.chunks.idOf(row)));
    this.putRecord({ entityId, source, fingerprint, chunkCount: remaining.size });
    return this.removeRows(gone);
  }

  /** @returns the ids of the chunks that went. */
  removeDocument(key: DocumentKey): string[] {
    this.records.delete(recordKey(key));
    return this.removeRows(this.chunks.rowsOf(key.entityId, key.source));
  }

  /** @returns the ids of the chunks that went. */
  removeEntities(entityIds: ReadonlySet<string>): string[] {
    for (const [key, { entityId }] of this.records) {
      if (entityIds.has(entityId)) {
        this.records.delete(key);
      }
    }
    return this.removeRows([...entityIds].flatMap(entityId => this.chunks.rowsOf(entityId)));
  }

  removeChunk(id: string): void {
    const row = this.chunks.find(id);
    if (row !== undefined) {
      this.chunks.remove(row);
    }
  }

  private keptRow({ entityId, source }: DocumentKey, chunk: DocumentChunk): number {
    const row = this.chunks.find(chunk.id);
    if (row === undefined || !this.chunks.rowsOf(entityId, source).includes(row)) {
      throw new ConflictError(
        `Chunk ${chunk.id} is no longer in the store: somebody removed it meanwhile. Index the document again.`,
      );
    }
    return row;
  }

  private removeRows(rows: number[]): string[] {
    return rows.map(row => {
      const id = this.chunks.idOf(row);
      this.chunks.remove(row);
      return id;
    });
  }
}

/** Sorts by entity id, then by source: NUL comes before any character of an id. */
function recordKey({ entityId, source }: DocumentKey): string {
  return `${entityId}\0${source}`;
}
