import type { StoreStats } from 'backstage-plugin-ask-ai-node';
import { count, countDistinct, eq } from 'drizzle-orm';
import type { Database } from './connection';
import { embeddings } from './schema';

/** Chunks in the store, or of one entity. */
export async function countChunks(db: Database, entityId?: string): Promise<number> {
  const [row] = await db
    .select({ value: count() })
    .from(embeddings)
    .where(entityId === undefined ? undefined : eq(embeddings.entityId, entityId));
  return row?.value ?? 0;
}

export async function countAll(db: Database): Promise<StoreStats> {
  const [row] = await db
    .select({ vectorCount: count(), entityCount: countDistinct(embeddings.entityId) })
    .from(embeddings);
  return row ?? { vectorCount: 0, entityCount: 0 };
}

/** Whether there is no chunk; needs no count. */
export async function isEmpty(db: Database): Promise<boolean> {
  const rows = await db.select({ id: embeddings.id }).from(embeddings).limit(1);
  return rows.length === 0;
}
