import { sql } from 'drizzle-orm';
import { VectorStoreSchemaError } from '../../errors';
import { type Database, selectRows } from '../connection';
import type { Migration } from './migrationFiles';

/**
 * Where applied migrations are written down: the table that `drizzle.config.ts` gives drizzle-kit,
 * so that `drizzle-kit migrate` and the backend may run in either order. It lies in the schema of
 * the tables; two schemas of one database never share a journal.
 */
export const JOURNAL_TABLE = 'ask_ai_migrations';

/**
 * What a migration writes into the comment of the journal when versions before it can no longer work
 * with the database: the oldest migration that a version must have. See docs/MIGRATION_GUIDE.md.
 */
const NEEDS = /ask-ai needs (\w+)/;

/** What a database says of its migrations. */
export interface Journal {
  /** The oldest first. */
  applied: AppliedMigration[];
  /** The migration that a version must have to work with the database. */
  needed?: string;
}

/** `when` and `hash` of a {@link Migration}, as they were when it was applied. */
export interface AppliedMigration {
  when: number;
  hash: string;
}

export async function readJournal(db: Database): Promise<Journal> {
  const mark = await readMark(db);
  if (!mark.found) {
    return { applied: [] };
  }
  const rows = await selectRows<{ created_at: string | number | null; hash: string }>(
    db,
    sql`select created_at, hash from ${sql.identifier(JOURNAL_TABLE)} order by created_at, id`,
  );
  return {
    applied: rows.map(row => ({ when: Number(row.created_at), hash: row.hash })),
    needed: mark.needed,
  };
}

/** The migration that a version must have to work with the database; needs no right on the journal. */
export async function readNeededMigration(db: Database): Promise<string | undefined> {
  return (await readMark(db)).needed;
}

/**
 * The migrations that the database lacks. Newer ones than this version has are no fault: while replicas
 * are upgraded one by one, the version before goes on working.
 *
 * @throws VectorStoreSchemaError with the remedy, when the database and the files contradict each other.
 */
export function pendingMigrations(
  { applied, needed }: Journal,
  migrations: readonly Migration[],
): Migration[] {
  assertHas(migrations, needed);
  const known = new Map(migrations.map(migration => [migration.when, migration]));
  const newest = migrations.at(-1);
  for (const { when, hash } of applied) {
    const migration = known.get(when);
    if (migration && !migration.equalHashes.has(hash)) {
      throw new VectorStoreSchemaError(
        `Migration ${migration.name} was edited after it was applied to this database: what the database holds is not what the file makes. ` +
          'Restore the file (from the repository, or install the package again), and make the change by a new migration: npm run db:generate.',
      );
    }
    if (!migration && newest && when < newest.when) {
      throw new VectorStoreSchemaError(
        `A migration generated at ${time(when)} is applied to this database, and this version does not have it, though it has a newer one (${newest.name}): its file is missing. ` +
          'Restore the file and its line in drizzle/meta/_journal.json, or start the version that applied it.',
      );
    }
  }
  const isApplied = new Set(applied.map(({ when }) => when));
  const last = applied.at(-1)?.when ?? Number.NEGATIVE_INFINITY;
  const pending = migrations.filter(({ when }) => !isApplied.has(when));
  const skipped = pending.find(({ when }) => when < last);
  if (skipped) {
    throw new VectorStoreSchemaError(
      `Migration ${skipped.name} is not applied to this database, but ${known.get(last)?.name ?? `one generated at ${time(last)}`}, which is newer, is: drizzle-kit would leave it out for ever. ` +
        'Generate it anew, so that it comes last: take it out of drizzle/ and drizzle/meta, then npm run db:generate.',
    );
  }
  return pending;
}

/** @throws VectorStoreSchemaError when the needed migration is none of this version's. */
export function assertHas(migrations: readonly Migration[], needed: string | undefined): void {
  if (needed !== undefined && !migrations.some(({ name }) => name === needed)) {
    throw new VectorStoreSchemaError(
      `A newer version of ask-ai changed this database in a way that this version can't work with: it needs migration ${needed}, and this version has none after ${migrations.at(-1)?.name}. ` +
        'Install the newer version again, or go back with it: ask-ai rollback.',
    );
  }
}

async function readMark(db: Database): Promise<{ found: boolean; needed?: string }> {
  const [row] = await selectRows<{ found: boolean; comment: string | null }>(
    db,
    sql`
      select journal is not null as found, obj_description(journal, 'pg_class') as comment
      from to_regclass(quote_ident(current_schema()) || '.' || quote_ident(${JOURNAL_TABLE})) as journal`,
  );
  return { found: row?.found ?? false, needed: NEEDS.exec(row?.comment ?? '')?.[1] };
}

function time(when: number): string {
  return new Date(when).toISOString();
}
