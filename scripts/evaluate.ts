import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SearchMode } from 'backstage-plugin-ask-ai-common';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { createBackendClient } from '../plugins/ask-ai-backend/src/cli/backendClient';
import {
  type BackendTarget,
  type ConnectionOptions,
  findBackend,
} from '../plugins/ask-ai-backend/src/cli/backendTarget';
import { evaluateCatalog, formatCatalog } from './evaluation/catalogEvaluation';
import { catalogQuestions } from './evaluation/catalogQuestions';
import { drawComparison } from './evaluation/chart';
import { evaluateMode, type ModeEvaluation } from './evaluation/evaluation';
import { readQuestions } from './evaluation/questions';
import { readCatalog } from './evaluation/readCatalog';
import { askAll, formatRefusals } from './evaluation/refusals';
import { formatComparison, formatMisses } from './evaluation/report';

interface EvaluateOptions extends ConnectionOptions {
  mode?: SearchMode;
  catalog?: number;
  seed: number;
  json?: string;
  svg?: string;
}

const MODES: SearchMode[] = ['hybrid', 'vector', 'keyword'];

const command = new Command('evaluate')
  .description(
    'Asks a running backend questions whose answers are known and tells how often a right passage is among the first, for each mode of search.',
  )
  .argument('[file]', 'one question a line, as JSON; may be left out with --catalog')
  .option('--url <url>', 'the backend (default: backend.baseUrl of app-config.yaml)')
  .option('--token <token>', 'signs in (default: the static token of app-config.yaml)')
  .addOption(new Option('--mode <mode>', 'search in this mode only').choices(MODES))
  .option('--catalog <n>', 'ask n questions about the facts of its catalog', wholeNumber)
  .option('--seed <n>', 'draws other questions about the catalog', wholeNumber, 1)
  .option('--json <file>', 'write every outcome to this file')
  .option('--svg <file>', 'write a picture of the comparison to this file')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run evaluate -- questions.jsonl --svg comparison.svg\n  npm run evaluate -- --catalog 60',
  )
  .action(evaluate);

command.parseAsync().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
});

const print = (...texts: string[]) =>
  process.stdout.write(
    texts
      .filter(text => text !== '')
      .map(text => `${text}\n\n`)
      .join(''),
  );

async function evaluate(file: string | undefined, options: EvaluateOptions): Promise<void> {
  if (file === undefined && options.catalog === undefined) {
    throw new Error('Nothing to ask: name a file of questions, or give --catalog.');
  }
  const target = await findBackend(options, process.env, process.cwd());
  await refuseUnfinishedIndex(target);
  const result = {
    ...(file !== undefined && (await evaluateFile(resolve(file), target, options))),
    ...(options.catalog !== undefined && { catalog: await askCatalog(target, options) }),
  };
  if (options.json) {
    await writeFile(resolve(options.json), `${JSON.stringify(result, undefined, 2)}\n`);
  }
}

async function evaluateFile(file: string, target: BackendTarget, { mode, svg }: EvaluateOptions) {
  const questions = await readQuestions(file);
  const backend = createBackendClient(target);
  const modes: ModeEvaluation[] = [];
  for (const each of mode ? [mode] : MODES) {
    modes.push(await evaluateMode(backend, questions.answerable, each));
  }
  print(formatComparison(modes), ...modes.slice(0, 1).map(formatMisses));
  // Answers are made with mode `hybrid`.
  const hybrid =
    modes.find(evaluation => evaluation.mode === 'hybrid') ??
    (await evaluateMode(backend, questions.answerable, 'hybrid'));
  const answers = await askAll(backend, hybrid.outcomes, questions.unanswerable);
  print(formatRefusals(answers));
  if (svg) {
    await writeFile(resolve(svg), drawComparison(modes));
  }
  return { modes, answers };
}

async function askCatalog(target: BackendTarget, { catalog = 0, seed, mode }: EvaluateOptions) {
  const questions = catalogQuestions(await readCatalog(target), { count: catalog, seed });
  const backend = createBackendClient(target);
  const outcomes = await evaluateCatalog(backend, questions, mode ?? 'hybrid');
  print(formatCatalog(outcomes));
  return outcomes;
}

/** Figures of half an index say nothing. */
async function refuseUnfinishedIndex(target: BackendTarget): Promise<void> {
  const { state, vectorCount, entityCount } = await createBackendClient(target).status();
  if (state === 'running' || vectorCount === 0) {
    throw new Error(
      `The index is not complete (${state}, ${vectorCount} chunks): wait for the run to end, then evaluate.`,
    );
  }
  print(`Index: ${vectorCount} chunks of ${entityCount} entities`);
}

function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) {
    throw new InvalidArgumentError('Expected a whole number of at least 1.');
  }
  return number;
}
