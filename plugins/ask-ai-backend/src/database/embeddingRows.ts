import { createHash } from 'node:crypto';
import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { embeddings } from './schema';
import { VectorParameter } from './vectorColumn';

/** A row as it is written, with its vector encoded when a statement takes it. */
export type EmbeddingRow = typeof embeddings.$inferInsert & { vector: VectorParameter };

/** What is written of a row: all that is not generated or a default. */
export const WRITTEN_COLUMNS = [
  'id',
  'chunkId',
  'entityId',
  'entityName',
  'vector',
  'content',
  'source',
  'chunkIndex',
  'totalChunks',
  'title',
  'location',
  'contentHash',
  'vectorHash',
] as const satisfies (keyof EmbeddingRow)[];

const columns = getTableColumns(embeddings);

/** What an upsert sets, but for the times: all that is written but the id. */
export const PROPOSED_VALUES: Record<string, SQL> = Object.fromEntries(
  WRITTEN_COLUMNS.slice(1).map(key => [key, sql.raw(`excluded."${columns[key].name}"`)]),
);

/** The columns of a hit: all that a `DocumentChunk` is made of, and never the vector. */
export const chunkColumns = {
  chunkId: embeddings.chunkId,
  entityId: embeddings.entityId,
  entityName: embeddings.entityName,
  content: embeddings.content,
  source: embeddings.source,
  chunkIndex: embeddings.chunkIndex,
  totalChunks: embeddings.totalChunks,
  title: embeddings.title,
  location: embeddings.location,
};

/** One array parameter: a list of ten thousand parameters would overflow the stack in Drizzle. */
export function hasIdAmong(ids: string[]): SQL {
  return sql`${embeddings.id} = any(${sql.param(ids)}::text[])`;
}

/** What a row with `chunkColumns` is read as. */
export interface ChunkRow {
  chunkId: string;
  entityId: string;
  entityName: string;
  content: string;
  source: 'catalog' | 'techdocs';
  chunkIndex: number;
  totalChunks: number;
  title: string | null;
  location: string | null;
}

/** The one place where NULL becomes absent. */
export function toDocumentChunk(row: ChunkRow): DocumentChunk {
  return {
    id: row.chunkId,
    entityId: row.entityId,
    entityName: row.entityName,
    content: row.content,
    metadata: {
      source: row.source,
      chunkIndex: row.chunkIndex,
      totalChunks: row.totalChunks,
      ...(row.title === null ? {} : { title: row.title }),
      ...(row.location === null ? {} : { location: row.location }),
    },
  };
}

/** What is written for a chunk, but for its vector. */
export function toChunkValues(chunk: DocumentChunk) {
  return {
    chunkId: chunk.id,
    entityId: chunk.entityId,
    entityName: chunk.entityName,
    content: chunk.content,
    source: chunk.metadata.source,
    chunkIndex: chunk.metadata.chunkIndex,
    totalChunks: chunk.metadata.totalChunks,
    title: chunk.metadata.title ?? null,
    location: chunk.metadata.location ?? null,
    contentHash: hashChunk(chunk),
  };
}

export function toEmbeddingRow(embedding: EmbeddingVector): EmbeddingRow {
  const vector = new VectorParameter(embedding.vector);
  return {
    id: embedding.id,
    ...toChunkValues(embedding.documentChunk),
    vector,
    vectorHash: digest(vector.toPostgres()),
  };
}

/** By id, so that concurrent batches lock equal rows in the same order and never deadlock. */
export function lastOfEqualIds(batch: readonly EmbeddingVector[]): EmbeddingVector[] {
  const byId = new Map(batch.map(embedding => [embedding.id, embedding]));
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Equal for chunks whose rows are equal but for id and vector. */
function hashChunk({ id, entityId, entityName, content, metadata }: DocumentChunk): string {
  const { source, chunkIndex, totalChunks, title, location } = metadata;
  return digest(
    JSON.stringify([
      id,
      entityId,
      entityName,
      content,
      source,
      chunkIndex,
      totalChunks,
      title ?? null,
      location ?? null,
    ]),
  );
}

/** 128 bits of SHA-256: rows are compared by it, so that an accident must be out of the question. */
function digest(value: string | Buffer): string {
  return createHash('sha256').update(value).digest('hex').slice(0, 32);
}
