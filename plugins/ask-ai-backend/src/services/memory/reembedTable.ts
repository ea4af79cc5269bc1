import type {
  DocumentKey,
  EmbedChunks,
  EmbeddingVector,
  ReembedOptions,
  ReembedResult,
} from 'backstage-plugin-ask-ai-node';
import { documentName } from '../../lib/documentName';
import { reportAtTimes } from '../../lib/reportAtTimes';
import { validateEmbeddings } from '../../lib/validation';
import { ChunkTable } from './ChunkTable';
import { DocumentTable } from './DocumentTable';

const DEFAULT_BATCH_SIZE = 500;

/**
 * Embeds what a table holds anew, again and again until a look finds nothing that was written meanwhile.
 *
 * @param live - the table as it is by then.
 * @param swapIn - takes the new table, in the same step as the last look.
 * @throws what `embed` rejects with; the signal's reason.
 */
export async function reembedTable(
  live: () => DocumentTable,
  dimensions: number,
  embed: EmbedChunks,
  { batchSize = DEFAULT_BATCH_SIZE, signal, onProgress }: ReembedOptions,
  swapIn: (table: DocumentTable) => void,
): Promise<ReembedResult> {
  const next = new ChunkTable(dimensions);
  const failed = new Map<string, DocumentKey>();
  const report = reportAtTimes((chunksDone: number) =>
    onProgress?.({ phase: 'embedding', chunksDone, chunksTotal: live().chunks.size }),
  );
  let embedded = 0;
  for (;;) {
    const pending = pendingRows(live(), next, failed);
    if (pending.length === 0) {
      break;
    }
    const batch = pending.slice(0, batchSize);
    const vectors = await embed(batch.map(({ documentChunk }) => documentChunk));
    signal?.throwIfAborted();
    const written = batch.flatMap((row, index): EmbeddingVector[] => {
      const vector = vectors[index];
      if (vector === undefined) {
        const key = keyOf(row);
        failed.set(documentName(key), key);
      }
      return vector === undefined ? [] : [{ ...row, vector }];
    });
    validateEmbeddings(written, dimensions);
    next.putAll(written);
    embedded += written.length;
    report(next.size);
  }
  swapIn(completeTable(live(), next, failed, dimensions));
  return { embedded, removed: [...failed.values()] };
}

/** What `next` has not, or not as it is now. */
function pendingRows(
  live: DocumentTable,
  next: ChunkTable,
  failed: ReadonlyMap<string, DocumentKey>,
): EmbeddingVector[] {
  return live.chunks
    .ids()
    .map(id => embeddingOf(live.chunks, id))
    .filter(row => !failed.has(documentName(keyOf(row))))
    .filter(({ id, documentChunk }) => {
      const row = next.find(id);
      return row === undefined || !isEqual(next.chunkOf(row), documentChunk);
    });
}

function completeTable(
  live: DocumentTable,
  next: ChunkTable,
  failed: ReadonlyMap<string, DocumentKey>,
  dimensions: number,
): DocumentTable {
  const table = new DocumentTable(dimensions);
  const rows = live.chunks.ids().map(id => embeddingOf(live.chunks, id));
  table.chunks.putAll(
    rows
      .filter(row => !failed.has(documentName(keyOf(row))))
      .map(({ id }) => embeddingOf(next, id)),
  );
  for (const key of live.documentKeys()) {
    const record = live.record(key);
    if (record && !failed.has(documentName(key))) {
      table.putRecord(record);
    }
  }
  return table;
}

function embeddingOf(chunks: ChunkTable, id: string): EmbeddingVector {
  const row = chunks.find(id);
  if (row === undefined) {
    throw new Error(`There is no chunk ${id}.`);
  }
  return chunks.embeddingOf(row);
}

function keyOf({ documentChunk }: EmbeddingVector): DocumentKey {
  return { entityId: documentChunk.entityId, source: documentChunk.metadata.source };
}

/** Of chunks that were copied by the same code, so that their keys have the same order. */
function isEqual(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
