import type { DocumentKey, EmbeddingVector, StoredDocument } from 'backstage-plugin-ask-ai-node';
import { DocumentTable } from './DocumentTable';

/**
 * A table that is to replace the live one when its stream ends, without losing what is written and
 * removed on the live one meanwhile: of every chunk, document and entity that somebody touched, the
 * result holds what the live table holds in the end, be it nothing, whatever the stream gives.
 *
 * A list of the calls, to be repeated, would grow with their number; this grows with what they touch.
 */
export class ReplacingLoad {
  private next: DocumentTable;
  private isEmptied = false;
  private readonly chunkIds = new Set<string>();
  private readonly entityIds = new Set<string>();
  private readonly documents = new Map<string, DocumentKey>();

  constructor(private readonly dimensions: number) {
    this.next = new DocumentTable(dimensions);
  }

  /** What the stream gives. */
  putAll(embeddings: readonly EmbeddingVector[]): void {
    if (!this.isEmptied) {
      this.next.chunks.putAll(embeddings);
    }
  }

  /** Chunks were written on the live table or removed from it. */
  touchChunks(ids: Iterable<string>): void {
    for (const id of ids) {
      this.chunkIds.add(id);
    }
  }

  /** A document was replaced or removed on the live table. */
  touchDocument({ entityId, source }: DocumentKey): void {
    this.documents.set(`${entityId}\0${source}`, { entityId, source });
  }

  /** All that belongs to an entity was removed from the live table. */
  touchEntity(entityId: string): void {
    this.entityIds.add(entityId);
  }

  /** The live table was emptied: nothing of the stream stays, neither what came nor what comes. */
  touchAll(): void {
    this.isEmptied = true;
    this.next = new DocumentTable(this.dimensions);
  }

  /**
   * @param records - of the documents in the stream.
   * @param live - with everything that was written meanwhile.
   */
  finish(records: Iterable<StoredDocument>, live: DocumentTable): DocumentTable {
    if (this.isEmptied) {
      return live;
    }
    for (const record of records) {
      this.next.putRecord(record);
    }
    this.next.removeEntities(this.entityIds);
    for (const key of this.documents.values()) {
      this.next.removeDocument(key);
      const record = live.record(key);
      if (record) {
        this.next.putRecord(record);
      }
    }
    this.takeChunks(live);
    return this.next;
  }

  /** After the removals, since a chunk may have come to another document. */
  private takeChunks(live: DocumentTable): void {
    const written: EmbeddingVector[] = [];
    for (const id of this.chunkIds) {
      const row = live.chunks.find(id);
      if (row === undefined) {
        this.next.removeChunk(id);
      } else {
        written.push(live.chunks.embeddingOf(row));
      }
    }
    this.next.chunks.putAll(written);
  }
}
