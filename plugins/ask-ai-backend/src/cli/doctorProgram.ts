import type { Command } from 'commander';
import type { CommandLineEnvironment } from './commandLineEnvironment';
import { withStoreOptions } from './commandOptions';
import type { DatabaseOptions } from './onStore';
import { createWarningsLogger } from './warningsLogger';

export function addDoctorCommand(
  program: Command,
  { variables, directory, terminal }: CommandLineEnvironment,
  finish: (exitCode: number) => void,
): void {
  withStoreOptions(program.command('doctor'))
    .summary('check everything that the plugin depends on')
    .description(
      'Checks configuration, database, extension, migrations, roles, vector index and models, and says what to do about each that is not well. Changes nothing, and needs no running backend; with the embedded store, the backend must be stopped.',
    )
    .addHelpText(
      'after',
      `
Examples:
  ask-ai doctor
  ask-ai doctor --config app-config.production.yaml
  ask-ai doctor --json | jq '.checks | map_values(select(.status != "ok"))'

Exit code: 0 when all is well, warnings included, 1 when a check failed, 2 when the configuration can't be read.`,
    )
    .action(async ({ json = false, ...options }: DatabaseOptions) => {
      const logger = createWarningsLogger(terminal);
      // The other commands need no database driver.
      const { doctorCommand } = await import('./doctorCommand');
      finish(await doctorCommand(options, { variables, directory, logger, terminal, json }));
    });
}
