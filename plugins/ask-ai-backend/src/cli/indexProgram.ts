import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { type Command, Option } from 'commander';
import type { CommandLineEnvironment } from './commandLineEnvironment';
import {
  type BackendOptions,
  backendContext,
  integerOption,
  withAddressOptions,
  withStoreOptions,
} from './commandOptions';
import { failure } from './exitCodes';
import {
  explainCommand,
  type Rebuild,
  rebuildCommand,
  recallCommand,
  requestRunCommand,
  type StoreContext,
} from './indexCommands';
import { onlyGiven } from './indexDefinition';
import { type DatabaseOptions, onStore } from './onStore';
import type { StoreOptions } from './openStore';
import { discardCommand, reembedCommand } from './reembedCommand';

interface RecallOptions extends DatabaseOptions {
  calibrate?: boolean;
  sample?: number;
  maxSeconds?: number;
}

interface ReindexOptions
  extends DatabaseOptions,
    Omit<BackendOptions, keyof DatabaseOptions>,
    Partial<VectorIndexDefinition> {
  tune?: boolean;
}

/** Commands about the vector index. They work on the database, since they take long. */
export function addIndexCommands(
  program: Command,
  environment: CommandLineEnvironment,
  finish: (exitCode: number) => void,
): void {
  withStoreOptions(program.command('recall'))
    .summary('measure how much of the nearest the vector index finds')
    .description(
      'Searches for a sample of the stored vectors, by the index and exactly, and tells which part of the 10 nearest the index finds, and how fast. Works on the database, not on the backend.',
    )
    .option(
      '--calibrate',
      'find the smallest ef_search that reaches the target, for every replica to use',
    )
    .option(
      '--sample <count>',
      'vectors to search for, 1 to 10,000 (default: 100)',
      integerOption(1, 10_000),
    )
    .option(
      '--max-seconds <seconds>',
      'exact searches end after this time (default: 60)',
      integerOption(1, 86_400),
    )
    .addHelpText(
      'after',
      `
Examples:
  ask-ai recall
  ask-ai recall --calibrate --sample 500
  ask-ai recall --json | jq .recall

Exit code: 0 when the target is reached, 1 when not, 3 when nothing is stored.`,
    )
    .action(async ({ calibrate = false, sample, maxSeconds, ...options }: RecallOptions) => {
      const stopped = calibrate ? 'Stopped: ef_search stays as it was.' : 'Stopped.';
      const work = (context: StoreContext) =>
        recallCommand({ calibrate, sampleSize: sample, maxSeconds }, context);
      finish(await onStore(options, environment, stopped, work));
    });

  withStoreOptions(program.command('explain'))
    .summary('show how PostgreSQL carries out each kind of search')
    .description(
      'Shows for each kind of search which index PostgreSQL uses, whether it is the one that it should use, and the plan. Works on the database, not on the backend.',
    )
    .addHelpText(
      'after',
      `
Examples:
  ask-ai explain
  ask-ai explain --json | jq '.plans[] | select(.usesExpected | not)'

Exit code: 0 when each kind uses its index or the store is small, else 1; 3 when nothing is stored.`,
    )
    .action(async (options: DatabaseOptions) => {
      finish(await onStore(options, environment, 'Stopped.', explainCommand));
    });

  addReindexCommand(program, environment, finish);
  addReembedCommand(program, environment, finish);
}

function addReindexCommand(
  program: Command,
  environment: CommandLineEnvironment,
  finish: (exitCode: number) => void,
): void {
  withStoreOptions(withAddressOptions(program.command('reindex')))
    .summary('index the catalog, or build the vector index anew')
    .description(
      'Asks the backend to index the catalog. With an option about the vector index, builds that anew instead, on the database, while the old one goes on serving.',
    )
    .addOption(
      new Option(
        '--tune',
        'build it with larger values, step by step, until the target is reached',
      ).conflicts(['m', 'efConstruction', 'precision']),
    )
    .option('--m <count>', 'neighbours that a vector is linked to, 2 to 100', integerOption(2, 100))
    .option(
      '--ef-construction <count>',
      'candidates that are compared when a vector is linked, 4 to 1,000, at least twice m',
      integerOption(4, 1_000),
    )
    .addOption(
      new Option('--precision <precision>', 'what the index holds of a number').choices([
        'full',
        'half',
      ]),
    )
    .addHelpText(
      'after',
      `
Examples:
  ask-ai reindex
  ask-ai reindex --tune
  ask-ai reindex --m 32 --ef-construction 128
  ask-ai reindex --precision half

Exit code: 0 when a run has begun or the new index reaches the target, 1 when it does not,
3 when nothing is stored.`,
    )
    .action(async ({ tune, m, efConstruction, precision, ...options }: ReindexOptions) => {
      const rebuild = tune
        ? { kind: 'tune' as const }
        : parseRebuild({ m, efConstruction, precision });
      if (!rebuild) {
        refuseDatabase(options);
        finish(await requestRunCommand(await backendContext(options, environment)));
        return;
      }
      const stopped = 'Stopped: the old index goes on serving.';
      const work = (context: StoreContext) => rebuildCommand(rebuild, context);
      finish(await onStore(options, environment, stopped, work));
    });
}

function addReembedCommand(
  program: Command,
  environment: CommandLineEnvironment,
  finish: (exitCode: number) => void,
): void {
  withStoreOptions(program.command('reembed'))
    .summary('embed what is stored by the configured model')
    .description(
      'After another embedding model was configured: embeds the stored contents anew, beside the old embeddings, which answer until all is done. Works on the database; with the embedded store, the backend must be stopped. A run that was stopped is gone on with by the next one.',
    )
    .option('--discard', 'remove what a stopped run left, instead')
    .addHelpText(
      'after',
      `
Examples:
  ask-ai reembed
  ask-ai reembed --config app-config.next.yaml
  ask-ai reembed --discard

Exit code: 0 when all is embedded, 1 when some documents could not be.`,
    )
    .action(async ({ discard, ...options }: DatabaseOptions & { discard?: boolean }) => {
      const stopped =
        'Stopped: the old model goes on answering. What is embedded is kept, and "ask-ai reembed" goes on with it.';
      const command = discard ? discardCommand : reembedCommand;
      finish(await onStore(options, environment, stopped, command));
    });
}

function parseRebuild(given: Partial<VectorIndexDefinition>): Rebuild | undefined {
  const definition = onlyGiven(given);
  const { m, efConstruction } = definition;
  if (Object.keys(definition).length === 0) {
    return undefined;
  }
  if (m !== undefined && efConstruction !== undefined && efConstruction < 2 * m) {
    throw failure(
      'usage',
      `Expected --ef-construction to be at least ${2 * m}, which is twice --m, got ${efConstruction}.`,
    );
  }
  return { kind: 'rebuild', definition };
}

/** The backend knows its database: one that is named on the command line would be ignored. */
function refuseDatabase({ databaseUrl }: StoreOptions): void {
  if (databaseUrl !== undefined) {
    throw failure(
      'usage',
      '--database-url goes with --tune, --m, --ef-construction or --precision: without them, the backend indexes the catalog into its own database.',
    );
  }
}
