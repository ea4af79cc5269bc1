import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AskResponse, IndexStatus } from 'backstage-plugin-ask-ai-common';
import { query } from '../../tests/services/connect';
import { pollUntil } from '../../tests/services/poll';
import type { Adopter } from './Adopter';

/** From an empty folder to an answer; the whole way is to stay far below. */
export const ANSWER_WITHIN_SECONDS = 300;

const QUESTION = 'Who owns ferry-booking?';
const INDEX_TIMEOUT_MS = 180_000;
const START_TIMEOUT_MS = 60_000;

/** Installs without a warning that has to do with our packages. */
export function install(adopter: Adopter): void {
  const { status, stdout, stderr } = adopter.run('npm', 'install', '--no-audit', '--no-fund');
  assert.equal(status, 0, `npm install ended with ${status}:\n${stdout}${stderr}`);
  const warnings = stderr.split('\n').filter(line => /^npm warn/i.test(line));
  const ours = warnings.filter(line => /ERESOLVE|peer|backstage-plugin-ask-ai/i.test(line));
  assert.deepEqual(ours, [], 'npm install warns an adopter');
  const { problems = [] } = JSON.parse(adopter.run('npm', 'ls', '--all', '--json').stdout);
  const ourProblems = problems.filter((problem: string) => /ask-ai/.test(problem));
  assert.deepEqual(ourProblems, [], 'npm ls finds problems');
}

/** Resolves once a question is answered from the catalog. */
export async function ask(adopter: Adopter, url: string, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  await adopter.poll('the first index run', INDEX_TIMEOUT_MS, async () => {
    const response = await fetch(`${url}/api/ask-ai/index/status`, { headers });
    if (!response.ok) {
      await response.body?.cancel();
      assert.ok(![401, 403].includes(response.status), `the token is refused: ${response.status}`);
      return undefined;
    }
    const { state, lastRun, entityCount } = (await response.json()) as IndexStatus;
    if (state !== 'idle' || !lastRun) {
      return undefined;
    }
    assert.equal(lastRun.outcome, 'completed', lastRun.reason);
    return entityCount === 3 || undefined;
  });
  const response = await fetch(`${url}/api/ask-ai/`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ prompt: QUESTION }),
  });
  assert.equal(response.status, 200);
  const { answer, found, sources } = (await response.json()) as AskResponse;
  const [best] = sources;
  assert.equal(found, true, `not answered: ${answer}`);
  assert.match(answer, /harbour/);
  assert.equal(best?.documentChunk.entityId, 'component:default/ferry-booking');
  assert.equal(best.documentChunk.metadata.location, '/catalog/default/component/ferry-booking');
}

/** The tables were made by the migrations that the package brought. */
export async function checkMigrations(folder: string, databaseUrl: string): Promise<number> {
  const brought = readdirSync(
    join(folder, 'node_modules/backstage-plugin-ask-ai-backend/drizzle'),
  ).filter(name => name.endsWith('.sql'));
  const [journal] = await query<{ applied: number }>(
    databaseUrl,
    `SELECT count(*)::int AS applied FROM "ask-ai".ask_ai_migrations`,
  );
  assert.equal(journal?.applied, brought.length, 'migrations in the journal');
  const [stored] = await query<{ chunks: number }>(
    databaseUrl,
    `SELECT count(*)::int AS chunks FROM "ask-ai".embeddings WHERE entity_id LIKE '%ferry-booking'`,
  );
  assert.ok(stored && stored.chunks > 0, 'no chunk of ferry-booking in the database');
  return brought.length;
}

/** The installed command talks to the backend, and to the database by itself. */
export function checkCommandLine(adopter: Adopter): void {
  const npx = (...args: string[]) => adopter.succeed('npx', '--no-install', 'ask-ai', ...args);
  assert.match(npx('--help'), /Usage: ask-ai/);
  const status = JSON.parse(npx('status', '--json'));
  assert.equal(status.entityCount, 3);
  const answer = JSON.parse(npx('ask', '--json', QUESTION));
  assert.equal(answer.found, true);
  // Finds Backstage's own database by @backstage/backend-defaults, and the down files in the package.
  assert.match(npx('rollback', '--dry-run', '--force'), /Would roll back/);
}

/** Backstage's own check knows the keys, and the backend tells a key that nobody has. */
export async function checkConfiguration(adopter: Adopter): Promise<void> {
  const { right, wrong, secrets } = JSON.parse(adopter.succeed('node', 'checkConfig.mjs'));
  assert.equal(right, undefined);
  assert.match(wrong, /askAi\/defaultTopK/);
  assert.deepEqual(secrets, { vectorStore: { postgresql: { password: 'hidden' } } });
  adopter.writeFile('wrong-config.yaml', 'askAi:\n  defaultTopp: 5\n');
  adopter.start('--config', 'app-config.yaml', '--config', 'wrong-config.yaml');
  try {
    // Backstage itself keeps a process alive in which a plugin failed to start.
    await pollUntil('the wrong key is told', START_TIMEOUT_MS, () =>
      /defaultTopp/.test(adopter.readLog()) ? true : undefined,
    );
  } finally {
    await adopter.stop();
  }
}

/** TypeScript finds the types of every entry point, as bundlers and as Node resolve modules. */
export function checkTypes(adopter: Adopter, tsc: string): void {
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--esModuleInterop'];
  for (const [file, module, moduleResolution] of [
    ['types.ts', 'esnext', 'bundler'],
    // In an ES module, TypeScript and Node take the default of a CommonJS package differently.
    ['types.cts', 'node16', 'node16'],
    ['types.ts', 'commonjs', 'node10'],
  ] as const) {
    const modules = ['--module', module, '--moduleResolution', moduleResolution];
    adopter.succeed('node', tsc, '--target', 'es2022', ...modules, ...options, file);
  }
}

/** The contract suite runs in both test frameworks, in somebody else's package. */
export function checkTestUtils(adopter: Adopter, versions: { vitest: string }): void {
  const quiet = ['--no-audit', '--no-fund', '--no-save', '--include=dev'];
  adopter.succeed('npm', 'install', ...quiet, `vitest@${versions.vitest}`, 'jest@^30.0.0');
  const vitest = adopter.run('npx', 'vitest', 'run', '--config', 'vitest.config.mjs');
  assert.equal(vitest.status, 0, vitest.stdout + vitest.stderr);
  assert.match(vitest.stdout, /Tests\s+\S*\d+ passed/);
  const jest = adopter.run('npx', 'jest', '--testMatch', '**/contract.jest.cjs');
  assert.equal(jest.status, 0, jest.stdout + jest.stderr);
  assert.match(jest.stderr, /Tests:\s+\d+ passed/);
}
