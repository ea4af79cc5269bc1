import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SearchMode } from 'backstage-plugin-ask-ai-common';
import { Command, CommanderError, Option } from 'commander';
import { createBackendClient } from '../plugins/ask-ai-backend/src/cli/backendClient';
import {
  type ConnectionOptions,
  findBackend,
} from '../plugins/ask-ai-backend/src/cli/backendTarget';
import { countRefused, evaluateMode } from './evaluation/evaluation';
import { readQuestions } from './evaluation/questions';
import { formatEvaluation } from './evaluation/report';

interface EvaluateOptions extends ConnectionOptions {
  mode: SearchMode;
  json?: string;
}

const command = new Command('evaluate')
  .description(
    'Asks a running backend questions whose answers are known and tells how often a right passage is among the first.',
  )
  .argument('<file>', 'one question a line, as JSON')
  .option('--url <url>', 'the backend (default: backend.baseUrl of app-config.yaml)')
  .option('--token <token>', 'signs in (default: the static token of app-config.yaml)')
  .addOption(
    new Option('--mode <mode>', 'how to search')
      .choices(['hybrid', 'vector', 'keyword'])
      .default('hybrid'),
  )
  .option('--json <file>', 'write every outcome to this file')
  .addHelpText('after', '\nExample:\n  npm run evaluate -- questions.jsonl --mode vector')
  .action(evaluate);

command.parseAsync().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
});

async function evaluate(file: string, options: EvaluateOptions): Promise<void> {
  const questions = await readQuestions(resolve(file));
  const backend = createBackendClient(await findBackend(options, process.env, process.cwd()));
  await refuseUnfinishedIndex(backend);
  const evaluation = await evaluateMode(backend, questions.answerable, options.mode);
  process.stdout.write(`${formatEvaluation(evaluation)}\n`);
  const { refused, answered } = await countRefused(backend, questions.unanswerable);
  if (questions.unanswerable.length > 0) {
    process.stdout.write(
      `\nUnanswerable: "not found" to ${refused.length} of ${questions.unanswerable.length}\n` +
        answered.map(({ id, question }) => `  answered all the same: ${id} ${question}\n`).join(''),
    );
  }
  if (options.json) {
    const result = { ...evaluation, unanswerable: { refused, answered } };
    await writeFile(resolve(options.json), `${JSON.stringify(result, undefined, 2)}\n`);
  }
}

/** Figures of half an index say nothing. */
async function refuseUnfinishedIndex(
  backend: Pick<ReturnType<typeof createBackendClient>, 'status'>,
): Promise<void> {
  const { state, vectorCount, entityCount } = await backend.status();
  if (state === 'running' || vectorCount === 0) {
    throw new Error(
      `The index is not complete (${state}, ${vectorCount} chunks): wait for the run to end, then evaluate.`,
    );
  }
  process.stdout.write(`Index: ${vectorCount} chunks of ${entityCount} entities\n\n`);
}
