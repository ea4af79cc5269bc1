import { sql } from 'drizzle-orm';
import type { DatabaseConnection } from '../database/connection';
import { openEmbeddedConnection } from '../database/embeddedConnection';
import { PgVectorStore } from '../services/PgVectorStore';

/** Makes any number of empty stores on one PGlite database, which takes seconds to create. */
export interface EmbeddedStores {
  create(options: { dimensions: number }): Promise<PgVectorStore>;
  close(): Promise<void>;
}

/** Each store has a schema of its own, and only the latest one may be used. */
export function embeddedStores(): EmbeddedStores {
  const logger = { debug: () => {}, info: () => {}, warn: () => {} };
  let opening: Promise<DatabaseConnection> | undefined;
  let count = 0;
  return {
    create: async ({ dimensions }) => {
      opening ??= openEmbeddedConnection();
      const connection = await opening;
      await connection.db.execute(sql`create extension if not exists vector with schema public`);
      const previous = sql.identifier(`store_${count}`);
      const schema = sql.identifier(`store_${++count}`);
      await connection.db.execute(sql`drop schema if exists ${previous} cascade`);
      await connection.db.execute(sql`create schema ${schema}`);
      await connection.db.execute(sql`set search_path to ${schema}, public`);
      return PgVectorStore.create({
        connection: { ...connection, close: async () => {} },
        logger,
        dimensions,
      });
    },
    close: async () => (await opening)?.close(),
  };
}
