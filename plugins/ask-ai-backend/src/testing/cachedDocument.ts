import type { IVectorStore } from 'backstage-plugin-ask-ai-node';

/** Of a cache for tests. */
export const CACHE_BOUNDS = { ttlMs: 60_000, maxEntries: 100, maxBytes: 1_000_000 };

/** The one document whose versions are written. */
export const CACHED_DOCUMENT = { entityId: 'api:default/a', source: 'catalog' as const };

/** Makes the document consist of one chunk with this content. */
export async function writeDocument(
  store: IVectorStore,
  content: string,
  vector: ArrayLike<number> = [1, 2, 3],
): Promise<void> {
  const metadata = { source: CACHED_DOCUMENT.source, chunkIndex: 0, totalChunks: 1 };
  const id = `${CACHED_DOCUMENT.entityId}#${content}`;
  const documentChunk = {
    id,
    entityId: CACHED_DOCUMENT.entityId,
    entityName: 'A',
    content,
    metadata,
  };
  await store.replaceDocuments([
    {
      ...CACHED_DOCUMENT,
      fingerprint: content,
      embedded: [{ id, chunkId: id, vector, documentChunk }],
      kept: [],
    },
  ]);
}
