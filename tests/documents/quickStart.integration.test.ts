import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DevBackend } from '../../scripts/lib/DevBackend.mjs';
import { createTestDatabase, type TestDatabase } from '../services/testDatabase';
import { ROOT, readDocuments } from './documents';
import { shellCommands, type Words } from './shellCommands';

const documents = readDocuments();
const directory = mkdtempSync(join(tmpdir(), 'ask-ai-quick-start-'));
const store = join(directory, 'store');

let backend: DevBackend;
let database: TestDatabase;

beforeAll(async () => {
  backend = await DevBackend.create(directory);
  database = await createTestDatabase({ name: 'quick_start' });
});

afterAll(async () => {
  await backend.close();
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

/** The first command of a document that begins so. */
function commandOf(path: string, ...start: Words): Words {
  const { blocks = [], codes = [] } = documents.find(document => document.path === path) ?? {};
  const shell = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);
  const commands = [...shell, ...codes].flatMap(shellCommands);
  const found = commands.find(words => start.every((word, index) => words[index] === word));
  if (!found) {
    throw new Error(`${path} has no command ${start.join(' ')}`);
  }
  return found;
}

/** Runs a command of npm as a document has it, with its words changed where places differ. */
function run(
  words: Words,
  { more = [], variables = {} }: { more?: Words; variables?: Record<string, string> } = {},
) {
  const { status, stdout, stderr } = backend.npm([...words.slice(1), ...more], variables);
  expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, '']);
  return stdout;
}

/** What curl would send; not every machine has it. */
async function curl(words: Words) {
  const after = (option: string) =>
    words.flatMap((word, i) => (words[i - 1] === option ? [word] : []));
  const url = words.find(word => word.startsWith('http')) ?? '';
  return fetch(url.replace('http://localhost:7007', backend.url), {
    method: words.includes('-d') ? 'POST' : 'GET',
    headers: after('-H').map(header => header.split(': ') as [string, string]),
    body: after('-d')[0],
  });
}

/** Runs begin as soon as the few entities are there. */
const configuration = (vectorStore: object) => ({ index: { settleSeconds: 2 }, vectorStore });

describe('the commands of the documents, one after another', { timeout: 180_000 }, () => {
  let chunks: number;

  it('start, ask in two ways and tell the status, as the README and SETUP say', async () => {
    backend.configure(configuration({ type: 'embedded', embedded: { directory: store } }));
    backend.start('ignore');
    const { vectorCount } = await backend.waitForRun(undefined);
    chunks = vectorCount;
    expect(run(commandOf('README.md', 'npm', 'run', 'ask'))).toMatch(/\[1\]/);
    const response = await curl(commandOf('README.md', 'curl'));
    expect(await response.json()).toMatchObject({ found: true });
    expect((await curl(commandOf('docs/SETUP.md', 'curl'))).status).toBe(200);
    expect(run(commandOf('docs/SETUP.md', 'npm', 'run', 'ask-ai', '--', 'search'))).toContain('1');
    expect(run(commandOf('docs/SETUP.md', 'npm', 'run', 'ask-ai', '--', 'status'))).toContain(
      `${chunks.toLocaleString('en-US')} chunks`,
    );
    await backend.stop();
  });

  it('move to PostgreSQL, where nothing is embedded again, as the README says', async () => {
    backend.configure(
      configuration({ type: 'postgresql', postgresql: { connectionString: database.url } }),
    );
    const move = commandOf('README.md', 'npm', 'run', 'ask-ai', '--', 'move');
    expect(move).toContain('--verify');
    const here = move.map(word => (word.startsWith('embedded:') ? `embedded:${store}` : word));
    run(here, { more: ['--config', backend.configFile, '--work-dir', join(directory, 'move')] });
    backend.start('ignore');
    const { vectorCount, lastRun } = await backend.waitForRun(undefined);
    expect([vectorCount, lastRun?.chunks.embedded]).toEqual([chunks, 0]);
    expect(run(commandOf('README.md', 'npm', 'run', 'ask'))).toMatch(/\[1\]/);
    await backend.stop();
  });

  it('roll a migration back, first only to tell, and forward again', () => {
    const schema = database.schema.replaceAll('"', '');
    const variables = { DATABASE_URL: database.url, DATABASE_SCHEMA: schema };
    const { entries } = JSON.parse(readFileSync(join(ROOT, 'drizzle/meta/_journal.json'), 'utf8'));
    const newest = entries.at(-1).tag;
    // Where rows would be lost, --force agrees to it.
    const dryRun = commandOf('README.md', 'npm', 'run', 'db:rollback', '--', '--dry-run');
    const told = run(dryRun, { more: ['--force'], variables });
    expect(told).toContain(newest);
    const rollback = commandOf('README.md', 'npm', 'run', 'db:rollback', '--', '1');
    expect(run(rollback, { more: ['--force'], variables })).toContain(newest);
    run(commandOf('docs/MIGRATION_GUIDE.md', 'npm', 'run', 'db:migrate'), { variables });
    expect(run(dryRun, { variables })).toContain(newest);
  });
});
