import { Command, Option } from 'commander';
import type { CommandLineEnvironment } from './commandLineEnvironment';
import {
  type BackendOptions,
  backendContext,
  collect,
  integerOption,
  withBackendOptions,
} from './commandOptions';
import { askCommand, searchCommand, statusCommand } from './commands';
import { addDoctorCommand } from './doctorProgram';
import { addIndexCommands } from './indexProgram';
import { addMigrateCommand } from './migrateProgram';
import { addRollbackCommand } from './rollbackProgram';
import { addSecretCommands } from './secretProgram';
import { addTransferCommands } from './transferProgram';

interface QuestionOptions extends BackendOptions {
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
    1  the backend or the database failed; recall, reindex: the target is missed;
       explain: a search does without its index; reembed: a document was left out;
       migrate --status: a migration is pending; doctor: a check failed;
       rollback: it was refused; import: it failed, or --verify found a difference
    2  wrong command, option, value or configuration
    3  nothing was found, or nothing is stored
    4  no backend answered, or no database
    5  not signed in, or not allowed
  130  stopped by Ctrl-C

Environment:
  ASK_AI_URL, ASK_AI_TOKEN  stand in for --url and --token
  ASK_AI_DATABASE_URL       stands in for --database-url
  ASK_AI_SECRET_KEY         decrypts enc:v1: texts of the configuration
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
  const contextOf = (options: BackendOptions) => backendContext(options, environment);

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

  withBackendOptions(program.command('status'))
    .summary('show what is indexed and what is going on')
    .description(
      'Shows the size of the index, the run under way, the last run and its failures, and the state of the vector index.',
    )
    .addHelpText(
      'after',
      `
Examples:
  ask-ai status
  ask-ai status --json | jq .lastRun.outcome`,
    )
    .action(async (options: BackendOptions) => {
      finish(await statusCommand(await contextOf(options)));
    });

  addDoctorCommand(program, environment, finish);
  addIndexCommands(program, environment, finish);
  addMigrateCommand(program, environment, finish);
  addRollbackCommand(program, environment, finish);
  addTransferCommands(program, environment, finish);
  addSecretCommands(program, environment, finish);
  return program;
}

function withQuestionOptions(command: Command): Command {
  return withBackendOptions(command)
    .option('--entity <ref>', 'only this entity, for example component:default/petstore')
    .option('--top-k <count>', 'how many passages, 1 to 100', integerOption(1, 100));
}
