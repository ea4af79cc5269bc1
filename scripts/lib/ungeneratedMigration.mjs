import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root } from './root.mjs';

/** What drizzle-kit prints when the schema is what the migrations make. */
const NOTHING_TO_DO = 'No schema changes';

/**
 * Has drizzle-kit generate into a copy of the migrations. Returns what is wrong, or `undefined` when
 * it has nothing to generate.
 *
 * @param {string} [repository] folder with drizzle.config.ts and drizzle/
 */
export function findUngeneratedMigration(repository = root) {
  const directory = mkdtempSync(join(tmpdir(), 'ask-ai-drizzle-'));
  try {
    const copy = join(directory, 'drizzle');
    cpSync(join(repository, 'drizzle'), copy, { recursive: true });
    const config = join(directory, 'drizzle.config.ts');
    // drizzle-kit puts "./" before the folder, so it must be relative.
    writeFileSync(
      config,
      `import config from ${JSON.stringify(join(repository, 'drizzle.config'))};\n` +
        `export default { ...config, out: ${JSON.stringify(relative(repository, copy))} };\n`,
    );
    const output = generate(repository, config);
    const known = new Set(readdirSync(join(repository, 'drizzle')));
    const added = readdirSync(copy).filter(name => !known.has(name));
    if (added.length > 0) {
      return `The schema differs from the migrations: run "npm run db:generate -- --name what_changes" and commit the result.\n${output}`;
    }
    // drizzle-kit also ends with 0 when it crashed or would have asked a question.
    return output.includes(NOTHING_TO_DO) ? undefined : `drizzle-kit generate failed:\n${output}`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {string} repository
 * @param {string} config
 */
function generate(repository, config) {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/drizzle-kit/bin.cjs'), 'generate', '--config', config],
    { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  );
  return `${stdout}${stderr}`.trim();
}
