import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProgram } from '../../plugins/ask-ai-backend/src/cli/program';
import { openApiDocument } from '../../plugins/ask-ai-backend/src/openapi/document';
import { recordTerminal } from '../../plugins/ask-ai-backend/src/testing/recordTerminal';
import { ROOT } from './documents';
import type { Words } from './shellCommands';

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** Programs of others, whose options their own manuals tell. What they are given as files is looked at. */
const FOREIGN = [
  ...[
    'apt',
    'sudo',
    'brew',
    'docker',
    'kubectl',
    'ollama',
    'yarn',
    'pg_dump',
    'pg_restore',
    'psql',
  ],
  ...['cp', 'set', '.', 'export', 'jq', 'zcat'],
];

/** Commands of npm itself. */
const NPM = ['ci', 'install', 'pack', 'start', 'test'];

/** npm scripts that are the command `ask-ai`, with words in front of those given. */
const ASK_AI_SCRIPTS: Record<string, string[]> = {
  'ask-ai': [],
  ask: ['ask'],
  'db:rollback': ['rollback'],
};

/** Options of programs of others that npm scripts pass on. */
const FOREIGN_OPTIONS: Record<string, string[]> = {
  // vitest
  test: ['--project'],
  // drizzle-kit
  'db:generate': ['--name', '--custom'],
};

/** What is wrong with a command of a document, a line each. */
export async function commandProblems(words: Words): Promise<string[]> {
  const [program = '', ...rest] = words;
  const missing = words.filter(isPath).filter(path => !existsSync(join(ROOT, path)));
  const problems = missing.map(path => `there is no ${path}`);
  if (program === 'npm') {
    return [...problems, ...(await npmProblems(rest))];
  }
  if (program === 'npx') {
    return rest[0] === 'ask-ai'
      ? [...problems, ...(await askAiProblems(rest.slice(1)))]
      : rest[0] === 'tsx'
        ? problems
        : [...problems, `npx ${rest[0]} is unknown`];
  }
  if (program === 'ask-ai') {
    return [...problems, ...(await askAiProblems(rest))];
  }
  if (program === 'curl') {
    return [...problems, ...curlProblems(rest)];
  }
  const isKnown = FOREIGN.includes(program) || isPath(program);
  return isKnown ? problems : [...problems, `${program} is no program that the test knows`];
}

async function npmProblems(words: Words): Promise<string[]> {
  const [verb = ''] = words;
  const name =
    verb === 'run' ? (words.find((word, i) => i > 0 && !word.startsWith('-')) ?? '') : verb;
  if (verb === 'run' ? !(name in scripts) : !NPM.includes(verb)) {
    return [`npm ${words.slice(0, 2).join(' ')}: there is no such script`];
  }
  const separator = words.indexOf('--');
  const args = separator < 0 ? [] : words.slice(separator + 1);
  const command = ASK_AI_SCRIPTS[name];
  if (command) {
    return askAiProblems([...command, ...args]);
  }
  return args
    .map(word => word.split('=')[0] as string)
    .filter(word => word.startsWith('--') && word !== '--help')
    .filter(option => !takes(name, option))
    .map(option => `npm run ${name} takes no ${option}`);
}

/** Whether the script of an npm script names the option. */
function takes(script: string, option: string): boolean {
  const file = /(?:tsx|node) (\S+)/.exec(scripts[script])?.[1];
  const ours = file ? readFileSync(join(ROOT, file), 'utf8') : '';
  return (
    ours.includes(`'${option}`) ||
    ours.includes(`"${option}`) ||
    (FOREIGN_OPTIONS[script] ?? []).includes(option) ||
    // `npm start` passes on what the backend reads.
    (script === 'start' && option === '--config')
  );
}

/** Parses them with the real program, whose commands do nothing here. */
async function askAiProblems(words: Words): Promise<string[]> {
  if (words.length === 0) {
    return [];
  }
  const program = createProgram(
    {
      variables: {},
      directory: ROOT,
      terminal: recordTerminal().terminal,
      signals: process,
      openStore: () => Promise.reject(new Error('A document opens no store.')),
    },
    () => {},
  );
  const output: string[] = [];
  for (const command of [program, ...program.commands.flatMap(one => [one, ...one.commands])]) {
    command.exitOverride().configureOutput({
      writeOut: () => {},
      writeErr: () => {},
      outputError: text => output.push(`ask-ai ${words.join(' ')}: ${text.trim()}`),
    });
    if (command.commands.length === 0) {
      command.action(() => {});
    }
  }
  await program.parseAsync(words, { from: 'user' }).catch(error => {
    if (!/help/.test(error.code)) {
      output.push(`ask-ai ${words.join(' ')}: ${error.message}`);
    }
  });
  return [...new Set(output)];
}

function curlProblems(words: Words): string[] {
  const address = words.find(word => /^https?:/.test(word));
  if (!address) {
    return ['curl: no address'];
  }
  const data = words[words.indexOf('-d') + 1];
  const isPost = words.includes('-d');
  const call = `${isPost ? 'POST' : 'GET'} ${new URL(address).pathname}`;
  if (!isCall(call)) {
    return [`curl: there is no ${call}`];
  }
  try {
    if (isPost) {
      JSON.parse(data ?? '');
    }
    return [];
  } catch {
    return [`curl: what it sends is no JSON: ${data}`];
  }
}

/** Whether `GET /path` is a call of the interface; the path may begin with `/api/ask-ai`. */
export function isCall(call: string): boolean {
  const [method = '', path = ''] = call.split(' ');
  const operations = openApiDocument.paths[path.replace(/^\/api\/ask-ai/, '') || '/'];
  return operations !== undefined && method.toLowerCase() in operations;
}

/** A path of the repository; `plugins/my-...` is one of the reader's. */
function isPath(word: string): boolean {
  return (
    /^(docs|scripts|plugins|examples|k8s|drizzle|bench|tests|\.ci|\.github)\/[\w./-]*$/.test(
      word,
    ) && !word.startsWith('plugins/my-')
  );
}
