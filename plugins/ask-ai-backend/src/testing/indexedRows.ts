import { query } from '../../../../tests/services/connect';

/** A row of `embeddings`, and which version of it this is. */
export interface IndexedRow {
  id: string;
  entityId: string;
  source: string;
  content: string;
  /** Of everything that is stored but the vector. */
  contentHash: string;
  vectorHash: string;
  /** The numbers, as PostgreSQL writes them. */
  vector: string;
  /** The transaction that wrote it, and where it lies: both change with every write. */
  version: string;
}

/** A row of `indexed_documents`. */
export interface IndexedDocument {
  entityId: string;
  source: string;
  fingerprint: string;
  chunkCount: number;
  version: string;
}

/** Everything that is indexed, in the order of its keys. */
export interface IndexedRows {
  rows: IndexedRow[];
  documents: IndexedDocument[];
}

export async function readIndexedRows(databaseUrl: string): Promise<IndexedRows> {
  return {
    rows: await query<IndexedRow>(
      databaseUrl,
      `select id, entity_id as "entityId", source, content, content_hash as "contentHash",
         vector_hash as "vectorHash", vector::text as vector, format('%s %s', xmin, ctid) as version
       from embeddings order by id collate "C"`,
    ),
    documents: await query<IndexedDocument>(
      databaseUrl,
      `select entity_id as "entityId", source, fingerprint, chunk_count as "chunkCount",
         format('%s %s', xmin, ctid) as version
       from indexed_documents order by entity_id collate "C", source`,
    ),
  };
}

/** What two indexes of the same documents have in common. */
export function withoutVersions({ rows, documents }: IndexedRows) {
  return {
    rows: rows.map(({ version: _, ...row }) => row),
    documents: documents.map(({ version: _, ...document }) => document),
  };
}
