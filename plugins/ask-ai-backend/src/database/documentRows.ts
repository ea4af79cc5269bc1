import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import type {
  DocumentKey,
  DocumentReplacement,
  StoredDocument,
} from 'backstage-plugin-ask-ai-node';
import { and, between, eq, gt, or, type SQL, sql } from 'drizzle-orm';
import { ConflictError } from '../errors';
import { lastOfEqualDocuments } from '../lib/lastOfEqualDocuments';
import { type Database, selectRows } from './connection';
import { chunkColumns, hasIdAmong, toChunkValues, toDocumentChunk } from './embeddingRows';
import { noteReplaced } from './load/captureChanges';
import { embeddings, indexedDocuments } from './schema';
import { upsertEmbeddings } from './upsert';

/** Four parameters each; very many would overflow the stack in Drizzle. */
const RECORDS_PER_STATEMENT = 500;

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

/** Call it in a transaction: readers then see the old documents or the new ones. */
export async function replaceDocuments(
  transaction: Database,
  replacements: readonly DocumentReplacement[],
): Promise<{ removed: number }> {
  const documents = lastOfEqualDocuments(replacements);
  await lockDocuments(transaction, documents);
  await updateKept(
    transaction,
    documents.flatMap(({ kept }) => kept),
  );
  await upsertEmbeddings(
    transaction,
    documents.flatMap(({ embedded }) => embedded),
  );
  const records = documents.map(({ entityId, source, fingerprint, embedded, kept }) => {
    const ids = [...new Set([...embedded, ...kept].map(({ id }) => id))];
    return { ids, record: { entityId, source, fingerprint, chunkCount: ids.length } };
  });
  const removed = await removeOtherChunks(
    transaction,
    documents,
    records.flatMap(({ ids }) => ids),
  );
  for (let start = 0; start < records.length; start += RECORDS_PER_STATEMENT) {
    await transaction
      .insert(indexedDocuments)
      .values(records.slice(start, start + RECORDS_PER_STATEMENT).map(({ record }) => record))
      .onConflictDoUpdate({
        target: [indexedDocuments.entityId, indexedDocuments.source],
        set: {
          fingerprint: sql`excluded.fingerprint`,
          chunkCount: sql`excluded.chunk_count`,
          indexedAt: sql`now()`,
        },
      });
  }
  await noteReplaced(transaction, documents);
  return { removed };
}

/**
 * Removes the chunks of documents that are not among some. They are looked for document by document,
 * which OFFSET says: of a table that was never analyzed, as in a first index, the planner takes an entity
 * for the 200th part, and would read all of it with every write.
 */
async function removeOtherChunks(
  transaction: Database,
  documents: readonly DocumentKey[],
  ids: string[],
): Promise<number> {
  const others = await selectRows<{ id: string }>(
    transaction,
    sql`
      select other.id from ${unnested(documents)} as document (entity_id, source), lateral (
        select ${embeddings.id} as id from ${embeddings}
        where ${embeddings.entityId} = document.entity_id and ${embeddings.source} = document.source
          and not ${hasIdAmong(ids)}
        offset 0
      ) as other`,
  );
  if (others.length === 0) {
    return 0;
  }
  const removed = await transaction
    .delete(embeddings)
    .where(and(hasIdAmong(others.map(({ id }) => id)), isOfDocuments(documents)))
    .returning({ id: embeddings.id });
  return removed.length;
}

/**
 * Lets one replacement of a document be at work at a time, until the transaction ends: otherwise two
 * of them would not see each other's new chunks, and both sets would stay.
 */
async function lockDocuments(
  transaction: Database,
  documents: readonly DocumentKey[],
): Promise<void> {
  const names = documents.map(lockName);
  await transaction.execute(sql`
    select pg_advisory_xact_lock(hashtextextended(name, 0))
    from unnest(${sql.param(names)}::text[]) with ordinality as given (name, position)
    order by position`);
}

function lockName({ entityId, source }: DocumentKey): string {
  return `ask-ai ${source} ${entityId}`;
}

/** Position, title and place of a chunk may change while its text, and so its vector, stays. */
async function updateKept(transaction: Database, kept: DocumentChunk[]): Promise<void> {
  if (kept.length === 0) {
    return;
  }
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
  await lockDocuments(transaction, [{ entityId, source }]);
  const removed = await transaction
    .delete(embeddings)
    .where(ofDocument({ entityId, source }))
    .returning({ id: embeddings.id });
  await transaction
    .delete(indexedDocuments)
    .where(and(eq(indexedDocuments.entityId, entityId), eq(indexedDocuments.source, source)));
  await noteReplaced(transaction, [{ entityId, source }]);
  return { removed: removed.length };
}

/** Removes the documents of an entity, or all of them, with their records. */
export async function clearDocuments(transaction: Database, entityId?: string): Promise<void> {
  for (const table of [embeddings, indexedDocuments]) {
    await transaction
      .delete(table)
      .where(entityId === undefined ? undefined : eq(table.entityId, entityId));
  }
  await noteReplaced(transaction, [{ entityId }]);
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

/** @param table - with the columns of `embeddings`. */
export function isOfDocuments(
  documents: readonly DocumentKey[],
  table: Pick<typeof embeddings, 'entityId' | 'source'> = embeddings,
): SQL {
  return sql`(${table.entityId}, ${table.source}) in (select * from ${unnested(documents)})`;
}

/** Two array parameters, as `hasIdAmong` has one. */
function unnested(documents: readonly DocumentKey[]): SQL {
  const entityIds = sql.param(documents.map(({ entityId }) => entityId));
  const sources = sql.param(documents.map(({ source }) => source));
  return sql`unnest(${entityIds}::text[], ${sources}::text[])`;
}

function ofDocument({ entityId, source }: DocumentKey): SQL | undefined {
  return and(eq(embeddings.entityId, entityId), eq(embeddings.source, source));
}
