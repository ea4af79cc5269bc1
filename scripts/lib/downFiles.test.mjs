import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findDownFileProblems } from './downFiles.mjs';

let folder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ask-ai-down-'));
  mkdirSync(join(folder, 'meta'));
  mkdirSync(join(folder, 'down'));
  write('meta/_journal.json', JSON.stringify({ entries: [{ tag: '0000_first' }] }));
  write('0000_first.sql', 'CREATE TABLE "first" ();');
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(file, text) {
  writeFileSync(join(folder, file), text);
}

it('finds nothing wrong with our own', () => {
  expect(findDownFileProblems()).toEqual([]);
});

it('finds a migration that nothing undoes', () => {
  expect(findDownFileProblems(folder)).toEqual([
    expect.stringContaining('down/0000_first.sql is missing'),
  ]);
});

it('finds a file that undoes nothing', () => {
  write('down/0000_first.sql', '-- CASCADE would be wrong here.\nDROP TABLE "first";');
  write('down/0001_gone.sql', 'DROP TABLE "gone";');
  expect(findDownFileProblems(folder)).toEqual([
    expect.stringContaining('down/0001_gone.sql undoes no migration'),
  ]);
});

it.each(['DROP TABLE "first" CASCADE;', 'drop extension vector;'])(
  'finds that %s may take others along',
  statement => {
    write('down/0000_first.sql', statement);
    expect(findDownFileProblems(folder)).toEqual([expect.stringContaining('what others made')]);
  },
);

it('takes a column that is dropped and added anew for the same one', () => {
  write('down/0000_first.sql', 'SELECT 1;');
  write(
    '0000_first.sql',
    'ALTER TABLE "first" DROP COLUMN "a"; ALTER TABLE "first" ADD COLUMN "a" int;',
  );
  expect(findDownFileProblems(folder)).toEqual([]);
});

it.each([
  'ALTER TABLE "first" DROP COLUMN "a";',
  'ALTER TABLE "first" RENAME TO "second";',
  'ALTER TABLE "first" ALTER COLUMN "a" SET DATA TYPE bigint;',
  'ALTER TABLE "first" ALTER COLUMN "a" SET NOT NULL;',
])('wants to know who can go on after %s', statement => {
  write('down/0000_first.sql', 'SELECT 1;');
  write('0000_first.sql', `-- 'ask-ai needs 0000_first'\n${statement}`);
  expect(findDownFileProblems(folder)).toEqual([expect.stringContaining('takes something away')]);
  const mark = `COMMENT ON TABLE "ask_ai_migrations" IS 'ask-ai needs 0000_first';`;
  write('0000_first.sql', `${statement}\n--> statement-breakpoint\n${mark}`);
  expect(findDownFileProblems(folder)).toEqual([]);
});

it('takes a column that is made anew for what it is', () => {
  write('down/0000_first.sql', 'SELECT 1;');
  const statements = ['drop column "a"', 'ADD COLUMN "a" text'];
  write('0000_first.sql', statements.map(each => `ALTER TABLE "first" ${each};`).join('\n'));
  expect(findDownFileProblems(folder)).toEqual([]);
});
