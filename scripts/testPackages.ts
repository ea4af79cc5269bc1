// npm run test:packages: packs our packages, installs them in an empty folder into a Backstage backend
// of somebody who has nothing else of ours, and asks it a question. Takes minutes and the registry.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createDatabase, dropDatabases, prepareDatabases } from '../tests/services/databases';
import { freePort } from '../tests/services/ports';
import { openTestServer } from '../tests/services/testServer';
import { Adopter } from './packages/Adopter';
import { findPackageProblems, listFiles } from './packages/checkTarball';
import {
  ANSWER_WITHIN_SECONDS,
  ask,
  checkCommandLine,
  checkConfiguration,
  checkMigrations,
  checkTestUtils,
  checkTypes,
  install,
} from './packages/journey';
import { type PackedPackage, packPackages } from './packages/packPackages';

const ROOT = resolve(__dirname, '..');
const TOKEN = 'ask-ai-adopter-of-a-test';

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Tells how long a step took, in seconds. */
async function step(name: string, action: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await action();
  const seconds = (performance.now() - startedAt) / 1000;
  say(`ok ${seconds.toFixed(1).padStart(6)} s  ${name}`);
  return seconds;
}

function checkTarballs(packages: readonly PackedPackage[], directory: string): void {
  const migrations = listFiles(join(ROOT, 'drizzle'), '').filter(
    path => path.endsWith('.sql') || path === 'meta/_journal.json',
  );
  const problems = packages.flatMap(({ name, tarball }) => {
    const folder = join(directory, name);
    mkdirSync(folder);
    const { status, stderr } = spawnSync('tar', ['xzf', tarball, '-C', folder], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    return findPackageProblems(join(folder, 'package'), migrations);
  });
  assert.deepEqual(problems, []);
}

async function main(directory: string): Promise<void> {
  const tarballs = join(directory, 'tarballs');
  const unpacked = join(directory, 'unpacked');
  const folder = join(directory, 'adopter');
  for (const path of [tarballs, unpacked, folder]) {
    mkdirSync(path);
  }
  let packages: PackedPackage[] = [];
  await step('build and pack', () => {
    packages = packPackages(tarballs);
  });
  await step('what is in the packages, and what they import', () =>
    checkTarballs(packages, unpacked),
  );
  const server = await openTestServer();
  try {
    const databases = await prepareDatabases(server.url);
    try {
      const { url: databaseUrl } = await createDatabase(databases, { name: 'adopter' });
      const port = await freePort();
      const adopter = Adopter.create(folder, packages, {
        PORT: String(port),
        DATABASE_URL: databaseUrl,
        ASK_AI_TEST_TOKEN: TOKEN,
      });
      await follow(adopter, folder, `http://127.0.0.1:${port}`, databaseUrl);
    } finally {
      await dropDatabases(databases);
    }
  } finally {
    await server.close();
  }
}

/** The way of an adopter, and what is then looked at. */
async function follow(
  adopter: Adopter,
  folder: string,
  url: string,
  databaseUrl: string,
): Promise<void> {
  try {
    const installing = await step('npm install', () => install(adopter));
    const answering = await step('first start, first index run and an answer', () => {
      adopter.start();
      return ask(adopter, url, TOKEN);
    });
    const total = installing + answering;
    say(`   ${total.toFixed(1).padStart(6)} s  from npm install to an answer`);
    assert.ok(total < ANSWER_WITHIN_SECONDS, `more than ${ANSWER_WITHIN_SECONDS} s to an answer`);
    await step('migrations of the package are applied', () => checkMigrations(folder, databaseUrl));
    await step('npx ask-ai', () => checkCommandLine(adopter));
    await step('the backend ends by SIGTERM', async () => assert.equal(await adopter.stop(), 0));
  } finally {
    await adopter.stop();
  }
  await step('configuration is checked', () => checkConfiguration(adopter));
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  await step('types of every entry point', () =>
    checkTypes(adopter, join(ROOT, 'node_modules/typescript/bin/tsc')),
  );
  await step('contract suite under vitest and jest', () =>
    checkTestUtils(adopter, devDependencies),
  );
}

const directory = mkdtempSync(join(tmpdir(), 'ask-ai-packages-'));
main(directory)
  .then(() => rmSync(directory, { recursive: true, force: true }))
  .catch(error => {
    process.stderr.write(`FAILED ${error.message}\nWhat was made is in ${directory}\n`);
    process.exitCode = 1;
  });
