import type { Command } from 'commander';
import type { CommandLineEnvironment } from './commandLineEnvironment';
import { integerOption, withStoreOptions } from './commandOptions';
import type { StoreOptions } from './openStore';
import { createWarningsLogger } from './warningsLogger';

/** Far more than there are. */
const MOST_MIGRATIONS = 1_000;

interface RollbackOptions extends StoreOptions {
  json?: boolean;
  force?: boolean;
  dryRun?: boolean;
}

export function addRollbackCommand(
  program: Command,
  { variables, directory, terminal }: CommandLineEnvironment,
  finish: (exitCode: number) => void,
): void {
  withStoreOptions(program.command('rollback'))
    .summary('undo the newest migrations of the database')
    .description(
      'Undoes the newest migrations, all of them or none. Is refused when rows would be lost. Never removes the extension, or what others made. Stop the backends first. Works on the database, not on the backend.',
    )
    .argument('[count]', 'how many migrations', integerOption(1, MOST_MIGRATIONS), 1)
    .option('--force', 'also when rows are lost by it')
    .option('--dry-run', 'tell what would be undone and lost, and undo nothing')
    .addHelpText(
      'after',
      `
Examples:
  ask-ai rollback --dry-run
  ask-ai rollback
  ask-ai rollback 2 --force

Exit code: 0 when it is done, 1 when it was refused, 3 when no migration is applied.`,
    )
    .action(async (count: number, options: RollbackOptions) => {
      const { json = false, force = false, dryRun = false, ...where } = options;
      const logger = createWarningsLogger(terminal);
      // The other commands need no database driver.
      const { openDatabase } = await import('./openDatabase');
      const { rollbackCommand } = await import('./rollbackCommand');
      const connection = await openDatabase(where, { variables, directory, logger });
      try {
        finish(await rollbackCommand({ count, force, dryRun, json }, connection, terminal));
      } finally {
        await connection.close();
      }
    });
}
