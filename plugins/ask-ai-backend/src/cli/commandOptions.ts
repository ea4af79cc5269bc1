import { type Command, InvalidArgumentError } from 'commander';
import { createBackendClient } from './backendClient';
import { type ConnectionOptions, findBackend } from './backendTarget';
import type { CommandLineEnvironment } from './commandLineEnvironment';
import type { CommandContext } from './commands';

/** Options of a command that asks the backend. */
export interface BackendOptions extends ConnectionOptions {
  json?: boolean;
}

export function withBackendOptions(command: Command): Command {
  return withConfigOption(withAddressOptions(command)).option(
    '--json',
    'print what the backend answered',
  );
}

export function withAddressOptions(command: Command): Command {
  return command
    .option('--url <url>', 'the backend (default: backend.baseUrl of the configuration)')
    .option('--token <token>', 'signs in (default: the static token of the configuration)');
}

export function withConfigOption(command: Command): Command {
  return command.option(
    '--config <file>',
    'lies over app-config.yaml; may be given again',
    collect,
  );
}

/** Options of a command that works on the database. */
export function withStoreOptions(command: Command): Command {
  return withConfigOption(command)
    .option(
      '--database-url <url>',
      'the PostgreSQL database (default: askAi.vectorStore of the configuration); a password is safer in ASK_AI_DATABASE_URL',
    )
    .option('--json', 'print JSON');
}

/** What a command that asks the backend works with. */
export async function backendContext(
  options: BackendOptions,
  { variables, directory, terminal }: CommandLineEnvironment,
): Promise<CommandContext> {
  const target = await findBackend(options, variables, directory);
  return {
    client: createBackendClient(target),
    terminal,
    appUrl: target.appUrl,
    json: options.json ?? false,
  };
}

/** Parser of an option that may be given several times. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** Parser of an option that is an integer. */
export function integerOption(least: number, most: number): (value: string) => number {
  return value => {
    const number = Number(value);
    if (!Number.isInteger(number) || number < least || number > most) {
      throw new InvalidArgumentError(
        `Expected an integer from ${least} to ${most.toLocaleString('en')}.`,
      );
    }
    return number;
  };
}
