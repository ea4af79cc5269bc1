// npm run check: everything about the code that can be known without running its tests.
import { findDownFileProblems } from './lib/downFiles.mjs';
import { ensureInstalled } from './lib/ensureInstalled.mjs';
import { runNode } from './lib/runNode.mjs';
import { fail, say } from './lib/say.mjs';
import { findUngeneratedMigration } from './lib/ungeneratedMigration.mjs';

/** @param {string[]} args */
const succeeds = async (...args) => (await runNode(args)) === 0;

const STEPS = [
  {
    name: 'types (tsc)',
    // Writes declarations to dist-types, which the API reports are compared with.
    run: () => succeeds('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'),
  },
  {
    name: 'lint and format (biome)',
    run: () => succeeds('node_modules/@biomejs/biome/bin/biome', 'ci', '.'),
  },
  {
    name: 'YAML, Compose, Kubernetes and shell files',
    run: async () => {
      // Loaded only now: it needs the packages that may just have been installed.
      const { lintFiles } = await import('./lib/lint/lintFiles.mjs');
      const { counts, problems } = await lintFiles();
      say(
        `${counts.yaml} YAML, ${counts.compose} Compose, ${counts.shell} shell files, ${counts.manifests} manifests`,
      );
      say(problems.join('\n'));
      return problems.length === 0;
    },
  },
  {
    name: 'import rules',
    run: () => succeeds('scripts/test.mjs', '--project', 'unit', 'tests/importRules'),
  },
  {
    name: 'API reports are up to date',
    run: async () => {
      // What it imports may have been missing when this began.
      const { describeApis } = await import('./lib/apiReports.mjs');
      const outdated = describeApis({ write: false });
      if (outdated.length > 0) {
        say(`${outdated.join(', ')}: if the change is meant, npm run api-reports and commit it`);
      }
      return outdated.length === 0;
    },
  },
  {
    name: 'migrations are consistent (drizzle-kit check)',
    run: () => succeeds('node_modules/drizzle-kit/bin.cjs', 'check'),
  },
  {
    name: 'each migration can be undone',
    run: async () => {
      const problems = findDownFileProblems();
      say(problems.join('\n'));
      return problems.length === 0;
    },
  },
  {
    name: 'no schema change without its migration',
    run: async () => {
      const problem = findUngeneratedMigration();
      if (problem) {
        say(problem);
      }
      return problem === undefined;
    },
  },
];

try {
  await ensureInstalled();
  const results = [];
  for (const { name, run } of STEPS) {
    say(`\n--- ${name}`);
    const startedAt = Date.now();
    const isOk = await run();
    results.push({ name, isOk, seconds: (Date.now() - startedAt) / 1000 });
  }
  say('\n--- summary');
  for (const { name, isOk, seconds } of results) {
    say(`${isOk ? 'ok    ' : 'FAILED'} ${seconds.toFixed(1).padStart(5)} s  ${name}`);
  }
  const failed = results.filter(({ isOk }) => !isOk);
  if (failed.length > 0) {
    fail(`${failed.length} of ${results.length} checks failed`);
  }
} catch (error) {
  fail(error.message);
}
