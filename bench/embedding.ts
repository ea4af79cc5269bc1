import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import type { FloorRow } from './floor';

/** A row of the data set as the product takes it. */
export function toEmbedding({ id, entityId, vector, content }: FloorRow): EmbeddingVector {
  return {
    id,
    chunkId: id,
    vector,
    documentChunk: {
      id,
      entityId,
      entityName: entityId,
      content,
      metadata: { source: 'catalog', chunkIndex: 0, totalChunks: 1 },
    },
  };
}
