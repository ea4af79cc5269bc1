import { Command, InvalidArgumentError, Option } from 'commander';
import { createBackendClient } from './backendClient';
import { type ConnectionOptions, findBackend } from './backendTarget';
import { askCommand, type CommandContext, searchCommand, statusCommand } from './commands';
import type { Terminal } from './terminal';

/** What the command line reads from around it. */
export interface CommandLineEnvironment {
  variables: Readonly<Record<string, string | undefined>>;
  directory: string;
  terminal: Terminal;
}

interface CommonOptions extends ConnectionOptions {
  json?: boolean;
}

interface QuestionOptions extends CommonOptions {
  entity?: string;
  topK?: number;
}

interface AskOptions extends QuestionOptions {
  model?: string;
}

interface SearchOptions extends QuestionOptions {
  mode?: 'hybrid' | 'vector' | 'keyword';
  kind?: string[];
}

const GENERAL_HELP = `
Exit codes:
  0  done
  1  the backend failed
  2  wrong command, option or value
  3  nothing was found
  4  no backend answered
  5  not signed in, or not allowed

Environment:
  ASK_AI_URL, ASK_AI_TOKEN  stand in for --url and --token
  NO_COLOR                  no colours`;

/**
 * The commands.
 *
 * @param finish - gets the exit code of the command that ran.
 */
export function createProgram(
  environment: CommandLineEnvironment,
  finish: (exitCode: number) => void,
): Command {
  const program = new Command('ask-ai')
    .description("Answers engineers' questions from the software catalog and TechDocs.")
    .showHelpAfterError('(see --help)')
    .addHelpText('after', GENERAL_HELP);
  const contextOf = async (options: CommonOptions): Promise<CommandContext> => {
    const target = await findBackend(options, environment.variables, environment.directory);
    return {
      client: createBackendClient(target),
      terminal: environment.terminal,
      appUrl: target.appUrl,
      json: options.json ?? false,
    };
  };

  withQuestionOptions(program.command('ask'))
    .summary('answer a question, with sources')
    .description('Answers a question from what is indexed and names the sources.')
    .argument('<question...>', 'the question; quotes are optional')
    .option('--model <name>', 'one of askAi.allowedModels; the default is askAi.defaultModel')
    .addHelpText(
      'after',
      `
Examples:
  ask-ai ask "How do I roll back a migration?"
  ask-ai ask --entity component:default/payments-service "Who is on call?"
  ask-ai ask --json "What depends on auth-db?" | jq .sources`,
    )
    .action(async (words: string[], { entity, topK, model, ...options }: AskOptions) => {
      const request = { prompt: words.join(' '), entityId: entity, topK, model };
      finish(await askCommand(request, await contextOf(options)));
    });

  withQuestionOptions(program.command('search'))
    .summary('list the passages that fit best')
    .description('Lists the passages that fit best, best first.')
    .argument('<query...>', 'words or a question; quotes are optional')
    .addOption(
      new Option('--mode <mode>', 'how to search').choices(['hybrid', 'vector', 'keyword']),
    )
    .option('--kind <kind>', 'only entities of this kind; may be given again', collect)
    .addHelpText(
      'after',
      `
Examples:
  ask-ai search --top-k 3 "statement timeout"
  ask-ai search --kind API --mode keyword createRefund`,
    )
    .action(async (words: string[], { entity, topK, mode, kind, ...options }: SearchOptions) => {
      const filter = kind && { kinds: kind };
      const request = { query: words.join(' '), entityId: entity, topK, mode, filter };
      finish(await searchCommand(request, await contextOf(options)));
    });

  withCommonOptions(program.command('status'))
    .summary('show what is indexed and what is going on')
    .description('Shows the size of the index, the run under way, the last run and its failures.')
    .action(async (options: CommonOptions) => {
      finish(await statusCommand(await contextOf(options)));
    });

  return program;
}

function withQuestionOptions(command: Command): Command {
  return withCommonOptions(command)
    .option('--entity <ref>', 'only this entity, for example component:default/petstore')
    .option('--top-k <count>', 'how many passages, 1 to 100', topKOption);
}

function withCommonOptions(command: Command): Command {
  return command
    .option('--url <url>', 'the backend (default: backend.baseUrl of the configuration)')
    .option('--token <token>', 'signs in (default: the static token of the configuration)')
    .option('--config <file>', 'lies over app-config.yaml; may be given again', collect)
    .option('--json', 'print what the backend answered');
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function topKOption(value: string): number {
  const topK = Number(value);
  if (!Number.isInteger(topK) || topK < 1 || topK > 100) {
    throw new InvalidArgumentError('Expected an integer from 1 to 100.');
  }
  return topK;
}
