import type { EmbeddingVector, IVectorStore } from 'backstage-plugin-ask-ai-node';
import { query } from '../../../../tests/services/connect';
import { PgVectorStore, type PgVectorStoreOptions } from '../services/PgVectorStore';

/** Of the stores in tests of loads. */
export const DIMENSIONS = 8;

/** Rows that `holdLoad.ts` loads: three batches. */
export const LOADED_ROWS = 5_000;

/** Rows that `holdEmbeddedLoad.ts` loads: two batches. */
export const EMBEDDED_ROWS = 2_100;

/** Where `holdLoad.ts` stops. */
export interface LoadMoment {
  load: 'storeAll' | 'replaceAll';
  /** Regular expression: how the statement begins; left out: the stream holds. */
  statement?: string;
  /** Before the statement is sent, while it is carried out, or after it was. */
  at?: 'before' | 'during' | 'after';
  /** Regular expression: only statements after one that begins so count. */
  since?: string;
}

export const silent = { debug: () => {}, info: () => {}, warn: () => {} };

/** @param url - of the database. */
export function openStore(
  url: string,
  options: Partial<PgVectorStoreOptions> = {},
): Promise<PgVectorStore> {
  return PgVectorStore.create({
    postgresql: { connectionString: url },
    logger: silent,
    ...options,
  });
}

/** A row that differs from those of another id and of another content. */
export function row(id: string, content = id, entityId = 'component:default/e0'): EmbeddingVector {
  // On less than half a circle, so that a search by the index always finds its way.
  const angle = (Number(id.match(/\d+/)?.[0] ?? 0) % 3_000) / 1_000;
  const vector = new Float32Array(DIMENSIONS);
  vector[0] = Math.cos(angle);
  vector[1] = Math.sin(angle);
  return {
    id,
    chunkId: id,
    vector,
    documentChunk: {
      id,
      entityId,
      entityName: 'E',
      content,
      metadata: { source: 'techdocs', chunkIndex: 0, totalChunks: 1 },
    },
  };
}

/** `prefix-00000` and so on, of ten entities. */
export function rows(count: number, prefix: string, content = prefix): EmbeddingVector[] {
  return Array.from({ length: count }, (_, index) =>
    row(`${prefix}-${String(index).padStart(5, '0')}`, content, `component:default/e${index % 10}`),
  );
}

/** The contents of a store by id. */
export async function contentsOf(store: IVectorStore): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for await (const { id, documentChunk } of store.export()) {
    contents.set(id, documentChunk.content);
  }
  return contents;
}

/** What a store with these rows gives as `contentsOf`; of equal ids the last. */
export function contentsIn(...groups: EmbeddingVector[][]): Map<string, string> {
  return new Map(groups.flat().map(({ id, documentChunk }) => [id, documentChunk.content]));
}

/** All that a load makes in a database for its own use, by kind and name. */
export async function findLeftovers(url: string): Promise<string[]> {
  const found = await query<{ name: string }>(
    url,
    `select 'relation ' || relname as name from pg_class
       where relname ~ '^(embeddings|indexed_documents)_load'
     union all select 'type ' || typname from pg_type where typname ~ '^_?(embeddings|indexed_documents)_load'
     union all select 'trigger ' || tgname from pg_trigger where not tgisinternal
     union all select 'function ' || proname from pg_proc where proname ~ '^embeddings_load'
     order by 1`,
  );
  return found.map(({ name }) => name);
}
