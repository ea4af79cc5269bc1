import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { sql } from 'drizzle-orm';
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator';
import { VectorStoreSchemaError } from '../errors';
import { type Database, type DatabaseConnection, selectRows } from './connection';
import { withLockRetries } from './lockRetries';

/**
 * Where applied migrations are written down: the table that `drizzle.config.ts` gives drizzle-kit,
 * so that `drizzle-kit migrate` and the backend may run in either order. It lies in the schema of
 * the tables; two schemas of one database never share a journal.
 */
const JOURNAL_TABLE = 'ask_ai_migrations';

/** Serialises migrations of all replicas; any number that no other program of the database uses. */
const MIGRATION_LOCK_KEY = 0x61736b5f6169; // 'ask_ai' in ASCII

/** The package brings its migrations along; in the repository they lie at the root. */
export function migrationsFolder(): string {
  const candidates = [
    resolve(__dirname, '../drizzle'),
    resolve(__dirname, '../../drizzle'),
    resolve(__dirname, '../../../../drizzle'),
  ];
  const found = candidates.find(folder => existsSync(resolve(folder, 'meta/_journal.json')));
  if (!found) {
    throw new VectorStoreSchemaError(
      `The migrations are missing: none of ${candidates.join(', ')} holds meta/_journal.json. Install the package again.`,
    );
  }
  return found;
}

/**
 * Brings the database to the newest schema. Safe on any number of replicas at once: a lock
 * lets one migrate, the others find nothing left to do. All pending migrations are one transaction.
 *
 * Drizzle's own `migrate` takes no lock and needs CREATE on the database even when there is nothing
 * to create; the journal is the same.
 *
 * @returns how many migrations were applied.
 */
export async function migrate(connection: DatabaseConnection): Promise<number> {
  const migrations = readMigrationFiles({ migrationsFolder: migrationsFolder() });
  if (pendingMigrations(await lastApplied(connection.db), migrations).length === 0) {
    return 0;
  }
  return withMigrationLock(connection, session => applyPending(session, migrations));
}

/**
 * Runs `work` in a transaction, while no other process migrates or changes the shape of the tables. The
 * lock ends with the transaction: a lock of the session would stay with whichever session a proxy, which
 * pools transactions, took for it.
 */
export function withMigrationLock<T>(
  connection: DatabaseConnection,
  work: (transaction: Database) => Promise<T>,
): Promise<T> {
  return connection.withMaintenanceSession(session =>
    session.transaction(
      async transaction => {
        await transaction.execute(sql`select pg_advisory_xact_lock(${MIGRATION_LOCK_KEY}::bigint)`);
        return work(transaction);
      },
      // Whatever the default is: what others have committed by now must be seen.
      { isolationLevel: 'read committed' },
    ),
  );
}

/** How many migrations the database lacks; needs no right but to read the journal. */
export async function countPendingMigrations(db: Database): Promise<number> {
  const migrations = readMigrationFiles({ migrationsFolder: migrationsFolder() });
  return pendingMigrations(await lastApplied(db), migrations).length;
}

function pendingMigrations(last: number, migrations: MigrationMeta[]): MigrationMeta[] {
  return migrations.filter(migration => migration.folderMillis > last);
}

/** When the newest applied migration was generated, in milliseconds; 0 when there is none. */
async function lastApplied(session: Database): Promise<number> {
  const [journal] = await selectRows<{ found: boolean }>(
    session,
    sql`select to_regclass(quote_ident(current_schema()) || '.' || quote_ident(${JOURNAL_TABLE})) is not null as found`,
  );
  if (!journal?.found) {
    return 0;
  }
  const [last] = await selectRows<{ created_at: string | number | null }>(
    session,
    sql`select max(created_at) as created_at from ${sql.identifier(JOURNAL_TABLE)}`,
  );
  return Number(last?.created_at ?? 0);
}

async function applyPending(session: Database, migrations: MigrationMeta[]): Promise<number> {
  // The columns that Drizzle gives its journal.
  await session.execute(
    sql`create table if not exists ${sql.identifier(JOURNAL_TABLE)} (id serial primary key, hash text not null, created_at bigint)`,
  );
  const pending = pendingMigrations(await lastApplied(session), migrations);
  // Whoever reads a table must not wait for long behind a migration that waits for another reader.
  await withLockRetries(
    work => session.transaction(work),
    async transaction => {
      for (const migration of pending) {
        for (const statement of migration.sql) {
          await transaction.execute(sql.raw(statement));
        }
        await transaction.execute(
          sql`insert into ${sql.identifier(JOURNAL_TABLE)} (hash, created_at) values (${migration.hash}, ${migration.folderMillis})`,
        );
      }
    },
  );
  return pending.length;
}
