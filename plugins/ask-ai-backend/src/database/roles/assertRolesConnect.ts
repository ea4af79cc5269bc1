import { sql } from 'drizzle-orm';
import type { DatabaseConnection } from '../connection';
import { translateDatabaseError } from '../databaseErrors';

/** @throws VectorStoreUnavailableError that names the role which can't connect. */
export async function assertRolesConnect(connection: DatabaseConnection): Promise<void> {
  for (const { db, description } of new Set([connection, connection.reader, connection.admin])) {
    try {
      await db.execute(sql`select 1`);
    } catch (error) {
      throw translateDatabaseError(error, 'connect', description);
    }
  }
}
