import type { Command } from 'commander';
import type { CommandLineEnvironment } from './commandLineEnvironment';
import { integerOption, withStoreOptions } from './commandOptions';
import type { StoreOptions } from './openStore';
import { createWarningsLogger } from './warningsLogger';

/** As many as pgvector's type has. */
const MOST_DIMENSIONS = 16_000;

interface MigrateOptions extends StoreOptions {
  json?: boolean;
  status?: boolean;
  dimensions?: number;
}

export function addMigrateCommand(
  program: Command,
  { variables, directory, terminal }: CommandLineEnvironment,
  finish: (exitCode: number) => void,
): void {
  withStoreOptions(program.command('migrate'))
    .summary('bring the database to the newest schema')
    .description(
      'Applies the migrations that the database lacks, all of them or none, as askAi.vectorStore.postgresql.admin where that is configured, and gives the configured user and reader their rights on the tables. Safe while backends run, and on several machines at once. Works on the database, not on the backend.',
    )
    .option('--status', 'tell what is applied and what is pending, and change nothing')
    .option(
      '--dimensions <count>',
      'give a store that is empty the dimensions of its embedding model, which a backend without the admin credential may not',
      integerOption(1, MOST_DIMENSIONS),
    )
    .addHelpText(
      'after',
      `
Examples:
  ask-ai migrate --status
  ask-ai migrate --config app-config.production.yaml
  ask-ai migrate --dimensions 768

Exit code: 0 when nothing is pending, 1 when something is or the database refused, 3 when there is no embedded store,
4 when the database did not answer.`,
    )
    .action(async (options: MigrateOptions) => {
      const { json = false, status = false, dimensions, ...where } = options;
      const logger = createWarningsLogger(terminal);
      // The other commands need no database driver.
      const { openDatabase } = await import('./openDatabase');
      const { migrateCommand } = await import('./migrateCommand');
      const connection = await openDatabase(where, { variables, directory, logger });
      try {
        finish(await migrateCommand({ json, status, dimensions }, connection, terminal));
      } finally {
        await connection.close();
      }
    });
}
