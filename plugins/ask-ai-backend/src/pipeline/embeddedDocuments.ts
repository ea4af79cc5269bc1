import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import type { DocumentKey, EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import type { EmbedOutcome } from './embed';

/** A document that waits for the vectors of its new chunks, without its source, which is let go of. */
export interface PendingDocument extends DocumentKey {
  fingerprint: string;
  fresh: DocumentChunk[];
  kept: DocumentChunk[];
}

/** A document with the vectors of its new chunks. */
export interface EmbeddedDocument extends PendingDocument {
  embedded: EmbeddingVector[];
}

/** @throws why the model gave no vector for one of the chunks. */
export function toEmbeddings(chunks: DocumentChunk[], results: EmbedOutcome[]): EmbeddingVector[] {
  return chunks.map((documentChunk, index) => {
    const result = results[index];
    if (result === undefined || 'error' in result) {
      throw result?.error ?? new Error('The embedding model gave no vector for this text.');
    }
    const { id } = documentChunk;
    return { id, chunkId: id, vector: result.vector, documentChunk };
  });
}

/** Of at least so many chunks each, but for the last; a document is never divided. */
export function* portions(
  documents: EmbeddedDocument[],
  chunks: number,
): Generator<EmbeddedDocument[]> {
  let portion: EmbeddedDocument[] = [];
  let count = 0;
  for (const document of documents) {
    portion.push(document);
    count += document.embedded.length + document.kept.length;
    if (count >= chunks) {
      yield portion;
      portion = [];
      count = 0;
    }
  }
  if (portion.length > 0) {
    yield portion;
  }
}
