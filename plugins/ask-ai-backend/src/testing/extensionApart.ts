import { query } from '../../../../tests/services/connect';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';

/** A database with pgvector in the schema `extensions`, which is not on the search path, and a schema `Ask ai`. */
export async function createDatabaseWithExtensionApart(name: string): Promise<TestDatabase> {
  const database = await createTestDatabase({ name, extension: false });
  await query(
    database.url,
    'create schema extensions',
    'create extension vector with schema extensions',
    'create schema "Ask ai"',
  );
  return database;
}
