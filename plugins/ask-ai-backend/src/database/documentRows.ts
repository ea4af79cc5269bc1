import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import type {
  DocumentKey,
  DocumentReplacement,
  StoredDocument,
} from 'backstage-plugin-ask-ai-node';
import { and, between, eq, gt, not, or, type SQL, sql } from 'drizzle-orm';
import { ConflictError } from '../errors';
import type { Database } from './connection';
import { chunkColumns, hasIdAmong, toChunkValues, toDocumentChunk } from './embeddingRows';
import { noteReplaced } from './load/captureChanges';
import { embeddings, indexedDocuments } from './schema';
import { upsertEmbeddings } from './upsert';

/** Records a page holds while all of them are read. */
const PAGE_SIZE = 1_000;

const documentColumns = {
  entityId: indexedDocuments.entityId,
  source: indexedDocuments.source,
  fingerprint: indexedDocuments.fingerprint,
  chunkCount: indexedDocuments.chunkCount,
};

export async function readDocument(
  db: Database,
  { entityId, source }: DocumentKey,
): Promise<StoredDocument | undefined> {
  const [row] = await db
    .select(documentColumns)
    .from(indexedDocuments)
    .where(and(eq(indexedDocuments.entityId, entityId), eq(indexedDocuments.source, source)));
  return row;
}

/** By entity id and source, a page at a time. */
export async function* readDocuments(db: Database): AsyncIterable<StoredDocument> {
  let last: StoredDocument | undefined;
  do {
    const page: StoredDocument[] = await db
      .select(documentColumns)
      .from(indexedDocuments)
      .where(last && after(last))
      .orderBy(indexedDocuments.entityId, indexedDocuments.source)
      .limit(PAGE_SIZE);
    yield* page;
    last = page.length === PAGE_SIZE ? page.at(-1) : undefined;
  } while (last);
}

function after({ entityId, source }: DocumentKey): SQL | undefined {
  return or(
    gt(indexedDocuments.entityId, entityId),
    and(eq(indexedDocuments.entityId, entityId), gt(indexedDocuments.source, source)),
  );
}

/** Call it in a transaction: readers then see the old document or the new one. */
export async function replaceDocument(
  transaction: Database,
  { entityId, source, fingerprint, embedded, kept }: DocumentReplacement,
): Promise<{ removed: number }> {
  await lockDocument(transaction, { entityId, source });
  await updateKept(transaction, kept);
  await upsertEmbeddings(transaction, embedded);
  const remaining = [...new Set([...embedded, ...kept].map(({ id }) => id))];
  const removed = await transaction
    .delete(embeddings)
    .where(and(ofDocument({ entityId, source }), not(hasIdAmong(remaining))))
    .returning({ id: embeddings.id });
  const record = { fingerprint, chunkCount: remaining.length };
  await transaction
    .insert(indexedDocuments)
    .values({ entityId, source, ...record })
    .onConflictDoUpdate({
      target: [indexedDocuments.entityId, indexedDocuments.source],
      set: { ...record, indexedAt: sql`now()` },
    });
  await noteReplaced(transaction, { entityId, source });
  return { removed: removed.length };
}

/**
 * Lets one replacement of a document be at work at a time, until the transaction ends: otherwise two
 * of them would not see each other's new chunks, and both sets would stay.
 */
async function lockDocument(
  transaction: Database,
  { entityId, source }: DocumentKey,
): Promise<void> {
  await transaction.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(${`ask-ai ${source} ${entityId}`}, 0))`,
  );
}

/** Position, title and place of a chunk may change while its text, and so its vector, stays. */
async function updateKept(transaction: Database, kept: DocumentChunk[]): Promise<void> {
  const ids = kept.map(({ id }) => id);
  const rows = await transaction
    .select({ id: embeddings.id, contentHash: embeddings.contentHash })
    .from(embeddings)
    .where(hasIdAmong(ids))
    .orderBy(embeddings.id)
    .for('update');
  const hashes = new Map(rows.map(row => [row.id, row.contentHash]));
  for (const chunk of kept) {
    const hash = hashes.get(chunk.id);
    if (hash === undefined) {
      throw new ConflictError(
        `Chunk ${chunk.id} is no longer in the store: somebody removed it meanwhile. Index the document again.`,
      );
    }
    const values = toChunkValues(chunk);
    if (hash !== values.contentHash) {
      await transaction
        .update(embeddings)
        .set({ ...values, updatedAt: sql`now()` })
        .where(eq(embeddings.id, chunk.id));
    }
  }
}

export async function removeDocument(
  transaction: Database,
  { entityId, source }: DocumentKey,
): Promise<{ removed: number }> {
  await lockDocument(transaction, { entityId, source });
  const removed = await transaction
    .delete(embeddings)
    .where(ofDocument({ entityId, source }))
    .returning({ id: embeddings.id });
  await transaction
    .delete(indexedDocuments)
    .where(and(eq(indexedDocuments.entityId, entityId), eq(indexedDocuments.source, source)));
  await noteReplaced(transaction, { entityId, source });
  return { removed: removed.length };
}

/** Removes the documents of an entity, or all of them, with their records. */
export async function clearDocuments(transaction: Database, entityId?: string): Promise<void> {
  for (const table of [embeddings, indexedDocuments]) {
    await transaction
      .delete(table)
      .where(entityId === undefined ? undefined : eq(table.entityId, entityId));
  }
  await noteReplaced(transaction, { entityId });
}

export async function readChunkIds(db: Database, key: DocumentKey): Promise<Set<string>> {
  const rows = await db.select({ id: embeddings.id }).from(embeddings).where(ofDocument(key));
  return new Set(rows.map(row => row.id));
}

export async function readChunks(
  db: Database,
  key: DocumentKey,
  { from, to }: { from: number; to: number },
): Promise<DocumentChunk[]> {
  const rows = await db
    .select(chunkColumns)
    .from(embeddings)
    .where(and(ofDocument(key), between(embeddings.chunkIndex, from, to)))
    .orderBy(embeddings.chunkIndex);
  return rows.map(toDocumentChunk);
}

function ofDocument({ entityId, source }: DocumentKey): SQL | undefined {
  return and(eq(embeddings.entityId, entityId), eq(embeddings.source, source));
}
