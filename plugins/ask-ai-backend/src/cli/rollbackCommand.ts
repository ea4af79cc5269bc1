import type { DatabaseConnection } from '../database/connection';
import { type RollbackReport, rollback } from '../database/rollback';
import { EXIT_CODES } from './exitCodes';
import { asJson, plural } from './formatUnits';
import type { Terminal } from './terminal';

/** How far to go back, and how to tell it. */
export interface RollbackRequest {
  count: number;
  force: boolean;
  dryRun: boolean;
  json: boolean;
}

/** @returns the exit code. */
export async function rollbackCommand(
  { json, ...options }: RollbackRequest,
  connection: DatabaseConnection,
  terminal: Terminal,
): Promise<number> {
  const report = await terminal.whileWaiting('Rolling back', rollback(connection, options));
  if (json) {
    terminal.print(asJson({ ...report, database: connection.description }));
  }
  if (report.undone.length === 0) {
    terminal.note(`No migration is applied to ${connection.description}.`);
    return EXIT_CODES.nothingFound;
  }
  if (!json) {
    terminal.print(formatReport(report, options, connection.description));
  }
  if (report.otherSessions > 0) {
    const sessions = plural(report.otherSessions, 'session');
    const note = `Also connected to this database: ${sessions} of ask-ai. Stop its backends. One that goes on misses what is gone, and one that starts migrates forward again.`;
    terminal.note(terminal.style('yellow', note));
  }
  return EXIT_CODES.success;
}

function formatReport(
  { undone, lost, remaining }: RollbackReport,
  { dryRun }: { dryRun: boolean },
  database: string,
): string {
  const left = `${plural(remaining, 'migration')} ${dryRun ? 'would stay' : 'stay'} applied.`;
  return [
    `${dryRun ? 'Would roll back' : 'Rolled back'} ${database}: ${undone.join(', ')}. ${left}`,
    ...(lost.length > 0 ? [`${dryRun ? 'Would be lost' : 'Lost'}: ${lost.join(', ')}.`] : []),
  ].join('\n');
}
