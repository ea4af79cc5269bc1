import { sql } from 'drizzle-orm';
import type { DatabaseConnection } from './connection';
import { translateDatabaseError } from './databaseErrors';
import { describeExtensionFaults } from './extensionFaults';
import { countPendingMigrations } from './migrator';
import { describeRestriction } from './roles/describeRestriction';
import { assertSupportedServer } from './serverVersion';
import { readTableState } from './vectorIndex/indexState';

/** Gives what is worth to know, rejects with what is wrong; both with the remedy. */
export type DatabaseCheck = () => Promise<string | undefined>;

/** What a database is asked, each by statements that take milliseconds. */
export type DatabaseChecks = Record<
  'database' | 'extension' | 'migrations' | 'roles' | 'vectorIndex',
  DatabaseCheck
>;

export function databaseChecks(connection: DatabaseConnection): DatabaseChecks {
  const { db } = connection.reader;
  const checks: DatabaseChecks = {
    database: async () => {
      await db.execute(sql`select 1`);
      await assertSupportedServer(db);
      return undefined;
    },
    extension: () => describeExtensionFaults(db),
    migrations: async () => {
      const pending = await countPendingMigrations(connection.admin.db);
      const which = pending === 1 ? '1 migration is' : `${pending} migrations are`;
      return pending > 0 ? `${which} not applied: run ask-ai migrate.` : undefined;
    },
    roles: () => describeRestriction(connection),
    vectorIndex: async () => {
      const { live, isBuilding } = await readTableState(db);
      if (live?.isValid) {
        return undefined;
      }
      return isBuilding
        ? 'The vector index is being built: until then, searches compare with every vector.'
        : 'There is no valid vector index, so that searches compare with every vector: build it with ask-ai reindex --tune, or restart a backend.';
    },
  };
  const translated = Object.entries(checks).map(([name, check]) => {
    const translate = (error: unknown) => {
      throw translateDatabaseError(
        error,
        `check the ${WORDS[name] ?? name}`,
        connection.description,
      );
    };
    return [name, () => check().catch(translate)];
  });
  return Object.fromEntries(translated) as DatabaseChecks;
}

const WORDS: Record<string, string> = { vectorIndex: 'vector index' };
