import { sql } from 'drizzle-orm';
import type { Database, DatabaseConnection } from './connection';
import { withLockRetries } from './lockRetries';
import {
  assertHas,
  JOURNAL_TABLE,
  pendingMigrations,
  readJournal,
  readNeededMigration,
} from './migration/journal';
import { type Migration, migrationsFolder, readMigrations } from './migration/migrationFiles';
import { withMaintenanceTransaction } from './timeLimits';

/** Serialises migrations of all replicas; any number that no other program of the database uses. */
const MIGRATION_LOCK_KEY = 0x61736b5f6169; // 'ask_ai' in ASCII

/**
 * Brings the database to the newest schema. Safe on any number of replicas at once: a lock
 * lets one migrate, the others find nothing left to do. All pending migrations are one transaction.
 *
 * Drizzle's own `migrate` takes no lock, compares nothing but the time of the newest migration, and
 * needs CREATE on the database even when there is nothing to create; the journal is the same.
 *
 * @returns how many migrations were applied.
 * @throws VectorStoreSchemaError, with the remedy, when a migration was edited, is missing or came out of
 * order, or when a newer version made the database unfit for this one.
 */
export async function migrate(
  connection: DatabaseConnection,
  folder = migrationsFolder(),
): Promise<number> {
  const migrations = readMigrations(folder);
  if (pendingMigrations(await readJournal(connection.admin.db), migrations).length === 0) {
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
  return withMaintenanceTransaction(connection.admin, async transaction => {
    await transaction.execute(sql`select pg_advisory_xact_lock(${MIGRATION_LOCK_KEY}::bigint)`);
    return work(transaction);
  });
}

/**
 * For whoever leaves the schema as it is; needs no right but to connect.
 *
 * @throws VectorStoreSchemaError when a newer version changed the database in a way that this one can't
 * work with.
 */
export async function assertCompatible(db: Database): Promise<void> {
  assertHas(readMigrations(migrationsFolder()), await readNeededMigration(db));
}

/** How many migrations the database lacks; needs no right but to read the journal. */
export async function countPendingMigrations(db: Database): Promise<number> {
  return (await listMigrations(db)).pending.length;
}

/** By name, the oldest first; needs no right but to read the journal. */
export async function listMigrations(
  db: Database,
): Promise<{ applied: string[]; pending: string[] }> {
  const journal = await readJournal(db);
  const migrations = readMigrations(migrationsFolder());
  const pending = new Set(pendingMigrations(journal, migrations));
  const names = (are: boolean) =>
    migrations.filter(migration => pending.has(migration) === are).map(({ name }) => name);
  return { applied: names(false), pending: names(true) };
}

async function applyPending(session: Database, migrations: Migration[]): Promise<number> {
  // The columns that Drizzle gives its journal.
  await session.execute(
    sql`create table if not exists ${sql.identifier(JOURNAL_TABLE)} (id serial primary key, hash text not null, created_at bigint)`,
  );
  const pending = pendingMigrations(await readJournal(session), migrations);
  // Whoever reads a table must not wait for long behind a migration that waits for another reader.
  await withLockRetries(
    work => session.transaction(work),
    async transaction => {
      for (const { statements, hash, when } of pending) {
        for (const statement of statements) {
          await transaction.execute(sql.raw(statement));
        }
        await transaction.execute(
          sql`insert into ${sql.identifier(JOURNAL_TABLE)} (hash, created_at) values (${hash}, ${when})`,
        );
      }
    },
  );
  return pending.length;
}
