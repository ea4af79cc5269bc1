import type { DatabaseConnection } from '../database/connection';
import { translateDatabaseError } from '../database/databaseErrors';
import { changeDimensions } from '../database/embeddingSpace';
import { listMigrations, migrate } from '../database/migrator';
import { assertRolesConnect } from '../database/roles/assertRolesConnect';
import { grantRights } from '../database/roles/grantRights';
import { assertSupportedServer } from '../database/serverVersion';
import { EXIT_CODES } from './exitCodes';
import { asJson, plural } from './formatUnits';
import type { Terminal } from './terminal';

/** What to do besides, and how to tell it. */
export interface MigrateRequest {
  /** Tell what would be applied, and change nothing. */
  status: boolean;
  /** Of an empty store. */
  dimensions?: number;
  json: boolean;
}

/** What a database had, and got. */
interface MigrateReport {
  database: string;
  /** There before, the oldest first. */
  before: string[];
  /** By this command. */
  applied: string[];
  /** Still to be applied. */
  pending: string[];
  /** Who got rights on the tables. */
  granted: string[];
}

/** @returns the exit code. */
export async function migrateCommand(
  request: MigrateRequest,
  connection: DatabaseConnection,
  terminal: Terminal,
): Promise<number> {
  const { json, status } = request;
  let report: MigrateReport;
  try {
    report = await terminal.whileWaiting(
      status ? 'Reading' : 'Migrating',
      bringUpToDate(connection, request),
    );
  } catch (error) {
    throw translateDatabaseError(error, 'migrate', connection.description);
  }
  terminal.print(json ? asJson(report) : formatReport(report));
  return report.pending.length > 0 ? EXIT_CODES.failure : EXIT_CODES.success;
}

async function bringUpToDate(
  connection: DatabaseConnection,
  { status, dimensions }: MigrateRequest,
): Promise<MigrateReport> {
  const { admin, description: database } = connection;
  await assertSupportedServer(admin.db);
  const { applied: before, pending } = await listMigrations(admin.db);
  if (status) {
    return { database, before, applied: [], pending, granted: [] };
  }
  // Another process may be faster.
  const count = await migrate(connection);
  const granted = await grantRights(connection);
  if (dimensions !== undefined) {
    await changeDimensions(connection, dimensions);
  }
  await assertRolesConnect(connection);
  return { database, before, applied: pending.slice(pending.length - count), pending: [], granted };
}

function formatReport({ database, before, applied, pending, granted }: MigrateReport): string {
  const lines = [
    ...(applied.length > 0 ? [`Applied to ${database}: ${applied.join(', ')}.`] : []),
    ...(granted.length > 0 ? [`Granted the rights on the tables: ${granted.join(', ')}.`] : []),
    ...(pending.length > 0 ? [`Pending on ${database}: ${pending.join(', ')}.`] : []),
  ];
  const there = plural(before.length, 'migration');
  return [
    ...lines,
    ...(applied.length + pending.length === 0
      ? [`${database} is up to date: ${there} applied.`]
      : before.length > 0
        ? [`${there} applied before.`]
        : []),
  ].join('\n');
}
