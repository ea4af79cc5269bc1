import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';

/** What takes away something that the version before may still use. */
const CONTRACTS =
  /\bdrop\s+(table|column|view|constraint|type|function)\b|\brename\b|\balter\s+column\s+\S+\s+(set\s+data\s+)?type\b|\bset\s+not\s+null\b/i;

/** See docs/MIGRATION_GUIDE.md, "Write a migration". */
const MARK = /comment\s+on\s+table\s+"?ask_ai_migrations"?\s+is\s+'ask-ai needs \w+'/i;

/**
 * What is wrong with the files that undo the migrations, one line each: one is missing, undoes nothing
 * that there is, or would take along what is not ours; a migration takes something away and does not say
 * which versions can go on.
 *
 * @returns {string[]}
 */
export function findDownFileProblems(folder = join(root, 'drizzle')) {
  const { entries } = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8'));
  const names = entries.map(({ tag }) => `${tag}.sql`);
  const down = join(folder, 'down');
  const present = existsSync(down) ? readdirSync(down) : [];
  return [
    ...names
      .filter(name => !present.includes(name))
      .map(
        name => `drizzle/down/${name} is missing: write the statements that undo drizzle/${name}.`,
      ),
    ...present
      .filter(name => !names.includes(name))
      .map(name => `drizzle/down/${name} undoes no migration of drizzle/meta/_journal.json.`),
    ...present
      .filter(name => /\bcascade\b|\bdrop\s+extension\b/i.test(statements(join(down, name))))
      .map(
        name =>
          `drizzle/down/${name}: CASCADE and DROP EXTENSION would take along what others made.`,
      ),
    ...names
      .map(name => ({ name, text: statements(join(folder, name)) }))
      .filter(({ text }) => CONTRACTS.test(withoutReplacements(text)) && !MARK.test(text))
      .map(
        ({ name }) =>
          `drizzle/${name} takes something away: let it say with COMMENT ON TABLE "ask_ai_migrations" IS 'ask-ai needs NNNN_name' which migration a version must have to go on.`,
      ),
  ];
}

/**
 * A column that is made anew is still there for everybody.
 *
 * @param {string} text
 */
function withoutReplacements(text) {
  return text.replace(/\bdrop\s+column\s+("?\w+"?)/gi, (drop, column) =>
    new RegExp(`\\badd\\s+column\\s+${column}\\s`, 'i').test(text) ? '' : drop,
  );
}

/** @param {string} file */
function statements(file) {
  return readFileSync(file, 'utf8').replace(/--(?!> ).*$/gm, '');
}
