import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { CommandLineEnvironment } from './commandLineEnvironment';
import { withConfigOption } from './commandOptions';
import { failure } from './exitCodes';
import { untilInterrupted } from './interruption';
import type { OpenSource, OpenTarget, TransferSurroundings } from './openTransfer';
import type { TransferContext } from './transferCommands';
import { PLACES, parsePlace, STORES, type StorePlace, type TransferPlace } from './transferPlace';
import { createWarningsLogger } from './warningsLogger';

interface TransferOptions {
  config?: string[];
  token?: string;
  json?: boolean;
  dryRun?: boolean;
}

interface ExportOptions extends TransferOptions {
  from: string;
  gzip?: boolean;
  restart?: boolean;
  overwrite?: boolean;
}

interface ImportOptions extends TransferOptions {
  to: string;
  replace?: boolean;
  verify?: boolean;
  space?: { provider: string; model: string };
}

interface MoveOptions extends ImportOptions {
  from: string;
  workDir: string;
  restart?: boolean;
}

/** Commands that move what is stored. */
export function addTransferCommands(
  program: Command,
  environment: CommandLineEnvironment,
  finish: (exitCode: number) => void,
): void {
  withTransferOptions(program.command('export'))
    .summary('write all that is stored into a file')
    .description(
      'Writes every embedding, and the records of the documents, into a file of JSON lines, from which a store can be filled. Called again after it was interrupted, it goes on where it was.',
    )
    .argument('<file>', 'the file; compressed when it ends in .gz')
    .option('--from <place>', `where from: ${PLACES}`, 'configured')
    .option('--gzip', 'compress, whatever the name')
    .option('--overwrite', 'replace a file that is there')
    .option('--restart', 'forget what an interrupted export has written')
    .addHelpText(
      'after',
      `
Examples:
  ask-ai export backup.ndjson.gz
  ask-ai export backup.ndjson --from https://portal.example.com

Exit code: 0 when the file is whole, 1 when the export failed, 3 when nothing is stored.`,
    )
    .action(async (file: string, options: ExportOptions) => {
      const stopped = 'Stopped: call the command again, and it goes on where it was.';
      const work = async (session: TransferSession) => {
        const { source } = await session.openSource(options.from);
        const { exportCommand } = await import('./transferCommands');
        const { restart = false, overwrite = false, dryRun = false, gzip = false } = options;
        const { file: path } = parsePlace(file, environment.directory) as { file?: string };
        const compress = gzip || file.endsWith('.gz');
        const request = { file: path ?? file, compress, restart, overwrite, dryRun };
        return exportCommand(source, request, session.context);
      };
      finish(await withTransfer(options, environment, stopped, work));
    });

  withImportOptions(withTransferOptions(program.command('import')))
    .summary('fill a store from a file or from another store')
    .description(
      'Makes a store consist of what a file, another store or a running backend holds, in one atomic unit. Applies missing migrations first. The next index run embeds nothing again.',
    )
    .argument('<from>', `where from: ${PLACES}`)
    .addHelpText(
      'after',
      `
Examples:
  ask-ai import backup.ndjson.gz --dry-run
  ask-ai import backup.ndjson.gz --to postgresql://backstage@db.example.com/vectors --verify
  ask-ai import http://localhost:7007 --to embedded:.data/copy

Exit code: 0 when all is there, 1 when it failed or was refused, and the store is as it was, or when
--verify found a difference.`,
    )
    .action(async (from: string, options: ImportOptions) => {
      const stopped = 'Stopped: the store is as it was. Call the command again.';
      const work = (session: TransferSession) => session.import({ ...options, from });
      finish(await withTransfer(options, environment, stopped, work));
    });

  withImportOptions(withTransferOptions(program.command('move')))
    .summary('move all that is stored to another store')
    .description(
      'Fills a store from another one by way of a file, so that a move that was interrupted goes on where it was when the command is called again. The source stays as it is.',
    )
    .option('--from <place>', `where from: ${PLACES}`, 'configured')
    .option('--work-dir <folder>', 'where the file lies meanwhile', '.data/move')
    .option('--restart', 'forget what an interrupted move has read')
    .addHelpText(
      'after',
      `
Examples:
  ask-ai move --from embedded:.data/ask-ai --to postgresql://backstage@db.example.com/vectors --dry-run
  ask-ai move --from embedded:.data/ask-ai --to postgresql://backstage@db.example.com/vectors --verify

Exit code: as of import.`,
    )
    .action(async (options: MoveOptions) => {
      const stopped = 'Stopped: call the command again, and it goes on where it was.';
      finish(await withTransfer(options, environment, stopped, session => session.move(options)));
    });
}

function withTransferOptions(command: Command): Command {
  return withConfigOption(command)
    .option('--token <token>', 'signs in to a backend (default: ASK_AI_TOKEN, or the static token)')
    .option('--dry-run', 'check everything, and write nothing')
    .option('--json', 'print JSON');
}

function withImportOptions(command: Command): Command {
  return command
    .option('--to <place>', `where to: ${STORES}`, 'configured')
    .option('--replace', 'put it in the place of what is stored')
    .option('--verify', 'compare counts, every row and a sample of searches afterwards')
    .option(
      '--space <provider/model>',
      'what embedded the vectors, where the source does not say it',
      parseSpace,
    );
}

/** Opens places, and closes them whatever happens. */
class TransferSession {
  private readonly opened: (OpenSource | OpenTarget)[] = [];

  constructor(
    readonly context: TransferContext,
    private readonly surroundings: TransferSurroundings,
  ) {}

  async openSource(place: string): Promise<OpenSource> {
    const { openSource } = await import('./openTransfer');
    const opened = this.keep(await openSource(this.parse(place), this.surroundings));
    // One that can't be read is told before a target is made.
    await opened.source.about();
    return opened;
  }

  async import(options: ImportOptions & { from: string }): Promise<number> {
    this.parseTarget(options.to);
    const { source } = await this.openSource(options.from);
    const target = await this.openTarget(options);
    const { importCommand } = await import('./transferCommands');
    return importCommand(source, target, requestOf(options), this.context);
  }

  async move({ workDir, restart = false, ...options }: MoveOptions): Promise<number> {
    this.parseTarget(options.to);
    const { source } = await this.openSource(options.from);
    const target = await this.openTarget(options);
    const { moveCommand } = await import('./moveCommand');
    const workDirectory = resolve(this.surroundings.directory, workDir);
    const request = { ...requestOf(options), workDirectory, restart };
    return moveCommand(source, target, request, this.context);
  }

  private async openTarget({ to, dryRun = false }: ImportOptions): Promise<OpenTarget> {
    const { openTarget } = await import('./openTransfer');
    return this.keep(await openTarget(this.parseTarget(to), this.surroundings, { dryRun }));
  }

  async close(): Promise<void> {
    for (const place of this.opened.reverse()) {
      await place.close();
    }
  }

  private parse(place: string): TransferPlace {
    return parsePlace(place, this.surroundings.directory);
  }

  private parseTarget(text: string): StorePlace {
    const place = this.parse(text);
    if (place.kind === 'file' || place.kind === 'backend') {
      throw failure('usage', `Expected --to to be a store, got ${place.kind} ${text}: ${STORES}.`);
    }
    return place;
  }

  private keep<T extends OpenSource | OpenTarget>(place: T): T {
    this.opened.push(place);
    return place;
  }
}

function withTransfer(
  { config, token, json = false }: TransferOptions,
  { variables, directory, terminal, signals }: CommandLineEnvironment,
  stopped: string,
  work: (session: TransferSession) => Promise<number>,
): Promise<number> {
  const onStop = () => terminal.note('Stopping. Ctrl-C again ends at once.');
  return untilInterrupted(signals, { onStop, stopped }, async signal => {
    const logger = createWarningsLogger(terminal);
    const surroundings = { variables, directory, logger, config, token, signal };
    const session = new TransferSession({ terminal, json, signal }, surroundings);
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  });
}

function requestOf({ replace = false, verify = false, dryRun = false, space }: ImportOptions) {
  return { replace, verify, dryRun, embeddingSpace: space };
}

function parseSpace(text: string): { provider: string; model: string } {
  const slash = text.indexOf('/');
  if (slash <= 0 || slash === text.length - 1) {
    throw new InvalidArgumentError('Expected provider/model, such as ollama/all-minilm.');
  }
  return { provider: text.slice(0, slash), model: text.slice(slash + 1) };
}
