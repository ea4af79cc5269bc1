import type { SearchResult } from 'backstage-plugin-ask-ai-common';
import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import type { VectorIndexOptions } from '../plugins/ask-ai-backend/src/database/vectorIndex/types';
import { PgVectorStore } from '../plugins/ask-ai-backend/src/services/PgVectorStore';
import type { FloorRow, ScanSettings } from './floor';
import type { SuiteOptions } from './suite';

/** How a suite opens the product's store. */
export interface StoreOptions {
  maxConnections?: number;
  index?: VectorIndexOptions;
  /** `false` for a database that another store has migrated. */
  migrate?: boolean;
}

/** A server with gigabytes of buffers that was just started, on a busy machine. */
const CONNECTION_TIMEOUT_MS = 60_000;

/** The product's store, with everything at its default that is not given. */
export function openStore(
  url: string,
  { dimensions, logger }: Pick<SuiteOptions, 'dimensions' | 'logger'>,
  { maxConnections, index, migrate }: StoreOptions = {},
): Promise<PgVectorStore> {
  return PgVectorStore.create({
    postgresql: {
      connectionString: url,
      maxConnections,
      connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    },
    logger,
    index,
    migrate,
    // A store that exists keeps its dimensions.
    dimensions: migrate === false ? undefined : dimensions,
  });
}

/** How the product scans its index now: what the floor must do, too. */
export async function scanSettings(store: PgVectorStore): Promise<ScanSettings> {
  const status = await store.vectorIndex();
  if (!status) {
    throw new Error('The store has no vector index.');
  }
  return { efSearch: status.efSearch };
}

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

/** The same for a stream. */
export function* toEmbeddings(rows: Iterable<FloorRow>): Generator<EmbeddingVector> {
  for (const row of rows) {
    yield toEmbedding(row);
  }
}

/** Ids of the chunks that a search of the product found. */
export function hitIds(hits: SearchResult[]): string[] {
  return hits.map(({ documentChunk }) => documentChunk.id);
}
