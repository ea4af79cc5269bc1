import { sql } from 'drizzle-orm';
import { ConflictError, VectorStoreSchemaError } from '../errors';
import { type Database, type DatabaseConnection, selectRows } from './connection';
import { driverError, translateDatabaseError } from './databaseErrors';
import { withLockRetries } from './lockRetries';
import { assertNoMaintenance } from './maintenanceLock';
import { foreignAmong, readObjects } from './migration/databaseObjects';
import { JOURNAL_TABLE, pendingMigrations, readJournal } from './migration/journal';
import { countRows, describeLost, qualified, readOwnTables } from './migration/lostRows';
import {
  type Migration,
  migrationsFolder,
  readDownStatements,
  readMigrations,
  wordsOf,
} from './migration/migrationFiles';
import { withMigrationLock } from './migrator';
import { LOCK_NOT_AVAILABLE } from './sqlStates';

/** For those who use the tables; a backend that goes on does not let go of them for long. */
const PATIENCE_MS = 20_000;

/** How far to go back. */
export interface RollbackOptions {
  /** Migrations to undo, the newest first; at least 1, which is the default. */
  count?: number;
  /** Also when rows are lost by it. */
  force?: boolean;
  /** Undoes nothing, and tells what would be undone and lost. */
  dryRun?: boolean;
  folder?: string;
}

/** What was undone. */
export interface RollbackReport {
  /** Names of the migrations, in the order in which they were undone; none when none was applied. */
  undone: string[];
  /** What is lost by it: `120 rows of embeddings`. */
  lost: string[];
  /** Migrations that are still applied. */
  remaining: number;
  /** Other sessions of ask-ai on the database, of this or another schema. */
  otherSessions: number;
}

/**
 * Undoes the newest migrations by their files in `drizzle/down`: all of them or none, under the lock
 * of the migrator, while nobody loads the table or builds its index.
 *
 * What a migration did not make stays: everything in the database is looked up before and after, and if
 * anything else is gone, the transaction is undone.
 *
 * @throws ConflictError when rows would be lost and it is not forced, or when the tables are in use;
 * VectorStoreSchemaError when fewer migrations are applied, when the journal and the files contradict
 * each other, or when something of others relies on what would be removed.
 */
export async function rollback(
  connection: DatabaseConnection,
  options: RollbackOptions = {},
): Promise<RollbackReport> {
  const folder = options.folder ?? migrationsFolder();
  const migrations = readMigrations(folder);
  try {
    return await withMigrationLock(connection, async session => {
      await assertNoMaintenance(connection, session);
      const otherSessions = await countOtherSessions(session);
      const { undo, remaining } = await selectNewest(session, migrations, options.count ?? 1);
      // All that can be missing is known before anything is undone.
      const steps = undo.map(migration => ({
        migration,
        statements: readDownStatements(folder, migration),
      }));
      const lost = await withLockRetries(
        work => session.transaction(work),
        transaction => undoAll(transaction, steps, migrations, options),
        undefined,
        PATIENCE_MS,
      );
      const report = { undone: undo.map(({ name }) => name), lost, remaining, otherSessions };
      if (options.dryRun) {
        throw new DryRun(report);
      }
      return report;
    });
  } catch (error) {
    if (error instanceof DryRun) {
      return error.report;
    }
    throw translate(error, connection.description);
  }
}

/** Takes the transaction back. */
class DryRun extends Error {
  constructor(readonly report: RollbackReport) {
    super('dry run');
  }
}

interface Step {
  migration: Migration;
  statements: string[];
}

/** The newest first. */
async function selectNewest(
  session: Database,
  migrations: readonly Migration[],
  count: number,
): Promise<{ undo: Migration[]; remaining: number }> {
  const journal = await readJournal(session);
  const pending = new Set(pendingMigrations(journal, migrations));
  const applied = migrations.filter(migration => !pending.has(migration));
  const newest = journal.applied.at(-1);
  if (newest && newest.when > (applied.at(-1)?.when ?? 0)) {
    throw new VectorStoreSchemaError(
      'The newest migration of this database is one that this version does not have: roll back with the version that applied it, ' +
        'which brings the file that undoes it.',
    );
  }
  if (applied.length > 0 && count > applied.length) {
    throw new VectorStoreSchemaError(
      `Expected to undo at most ${applied.length} migrations, which is how many are applied to this database, got ${count}.`,
    );
  }
  const undo = applied.slice(-count).reverse();
  return { undo, remaining: applied.length - undo.length };
}

/** @returns what is lost. */
async function undoAll(
  transaction: Database,
  steps: readonly Step[],
  migrations: readonly Migration[],
  { force = false, dryRun = false }: RollbackOptions,
): Promise<string[]> {
  const tables = await readOwnTables(transaction, new Set(migrations.flatMap(wordsOf)));
  await lockTables(transaction, tables);
  const [objects, rows] = [await readObjects(transaction), await countRows(transaction, tables)];
  for (const { migration, statements } of steps) {
    for (const statement of statements) {
      await transaction.execute(sql.raw(statement));
    }
    await transaction.execute(
      sql`delete from ${sql.identifier(JOURNAL_TABLE)} where created_at = ${migration.when}`,
    );
  }
  const words = new Set(steps.flatMap(({ migration }) => wordsOf(migration)));
  const present = new Set((await readObjects(transaction)).map(({ key }) => key));
  const foreign = foreignAmong(
    objects.filter(({ key }) => !present.has(key)),
    words,
  );
  if (foreign.length > 0) {
    throw new VectorStoreSchemaError(
      `Nothing was undone: these would be gone, and no migration made them: ${foreign.map(({ description }) => description).join(', ')}. ` +
        'Drop them yourself if nobody needs them, then roll back again.',
    );
  }
  const left = await readOwnTables(transaction, new Set(tables));
  const lost = describeLost(rows, await countRows(transaction, left));
  if (lost.length > 0 && !force && !dryRun) {
    throw new ConflictError(
      `Nothing was undone: ${lost.join(', ')} would be lost. Save the database, then roll back with --force. ` +
        'What was read from the catalog and TechDocs is read again by the next index run.',
    );
  }
  return lost;
}

/** So that what is counted is what is there when it goes. */
async function lockTables(transaction: Database, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    await transaction.execute(
      sql`lock table ${await qualified(transaction, table)} in access exclusive mode`,
    );
  }
}

/** The pool of this connection has none yet: all is done on one session. */
async function countOtherSessions(session: Database): Promise<number> {
  const [row] = await selectRows<{ count: string | number }>(
    session,
    sql`
      select count(*) as count from pg_stat_activity
      where application_name = current_setting('application_name') and datname = current_database() and pid <> pg_backend_pid()`,
  );
  return Number(row?.count);
}

/** `dependent_objects_still_exist` */
const DEPENDENTS = '2BP01';

function translate(error: unknown, where: string): Error {
  const cause = driverError(error);
  if (cause.code === DEPENDENTS) {
    const { detail } = cause as { detail?: string };
    return new VectorStoreSchemaError(
      `Nothing was undone: ${cause.message}${detail ? ` (${detail.replaceAll('\n', ', ')})` : ''}. ` +
        'Drop what others made on it yourself if nobody needs it, then roll back again.',
      { cause },
    );
  }
  if (cause.code === LOCK_NOT_AVAILABLE) {
    return new ConflictError(
      'Nothing was undone: somebody is using the tables, and did not let go of them. Stop the backends, wait for backups, then roll back again.',
    );
  }
  return translateDatabaseError(error, 'roll back', where);
}
