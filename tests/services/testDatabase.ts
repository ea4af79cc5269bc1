import { inject } from 'vitest';
import {
  createDatabase,
  type DatabaseOptions,
  type DatabaseServer,
  type TestDatabase,
} from './databases';

export type { TestDatabase } from './databases';

declare module 'vitest' {
  interface ProvidedContext {
    databaseServer: DatabaseServer;
  }
}

/**
 * A fresh database on the server of this test run, with pgvector enabled unless told otherwise. The
 * test drops it.
 */
export async function createTestDatabase(options?: DatabaseOptions): Promise<TestDatabase> {
  return createDatabase(server(), options);
}

/** URL of the server of this test run, with a role that may create databases. */
export function testServerUrl(): string {
  return server().url;
}

function server(): DatabaseServer {
  const found = inject('databaseServer');
  if (!found) {
    throw new Error(
      'Unit tests have no server: name the file *.integration.test.ts to have it run with one',
    );
  }
  return found;
}
