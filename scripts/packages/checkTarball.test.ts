import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findPackageProblems } from './checkTarball';

const MANIFEST = {
  name: 'a-package',
  version: '0.1.0',
  main: 'dist/index.cjs.js',
  types: 'dist/index.d.ts',
  exports: { '.': { require: './dist/index.cjs.js' }, './package.json': './package.json' },
  dependencies: { zod: '^4.0.0', 'backstage-plugin-ask-ai-common': '^0.1.0' },
};

const FILES = {
  'README.md': '',
  LICENSE: '',
  'CHANGELOG.md': '',
  'dist/index.cjs.js': `require('node:path'); require('zod'); require('./lib/a.cjs.js');`,
  'dist/lib/a.cjs.js': `import('backstage-plugin-ask-ai-common');`,
  'dist/index.d.ts': `export { A } from './types/a.js';`,
  'dist/types/a.d.ts': 'export type A = string;',
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ask-ai-package-test-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Problems of the package above, with other files and another manifest; `undefined` leaves one out. */
function problems(files: Record<string, string | undefined> = {}, manifest: object = {}): string[] {
  const all = { ...FILES, 'package.json': JSON.stringify({ ...MANIFEST, ...manifest }), ...files };
  for (const [path, text] of Object.entries(all)) {
    if (text !== undefined) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  }
  return findPackageProblems(folder, ['0000_first.sql', 'down/0000_first.sql']);
}

it('finds nothing in a good package', () => {
  expect(problems()).toEqual([]);
});

it.each(['src/index.ts', 'dist/testing/fake.cjs.js', 'report.api.md', 'drizzle/0000_first.sql'])(
  'finds %s needless',
  path => {
    expect(problems({ [path]: '' })).toEqual([expect.stringContaining(path)]);
  },
);

it.each(['README.md', 'LICENSE', 'CHANGELOG.md'])('misses %s', path => {
  expect(problems({ [path]: undefined })).toEqual([`a-package: ${path} is missing`]);
});

it('misses what the manifest points to', () => {
  const bin = { 'a-command': 'dist/cli.cjs.js' };
  expect(problems({}, { bin })).toEqual(['a-package: dist/cli.cjs.js is missing']);
});

it('misses a migration, and what undoes it', () => {
  const files = { 'config.schema.json': '{}', 'drizzle/0000_first.sql': '' };
  expect(problems(files, { configSchema: 'config.schema.json' })).toEqual([
    'a-package: drizzle/down/0000_first.sql is missing',
  ]);
});

it.each([`require('pg');`, `import('pg');`, `export * from 'pg/lib/x';`])(
  'finds an import that is not declared: %s',
  text => {
    expect(problems({ 'dist/lib/b.cjs.js': text })).toEqual([
      expect.stringMatching(/dist\/lib\/b.cjs.js imports pg.*does not declare/),
    ]);
  },
);

it('finds an import of a type that is not declared', () => {
  const text = `export declare const a: import('luxon').Duration;`;
  expect(problems({ 'dist/types/b.d.ts': text })).toEqual([expect.stringContaining('luxon')]);
});

it('finds an import of a file that was not packed', () => {
  expect(problems({ 'dist/lib/b.cjs.js': `require('./c.cjs.js');` })).toEqual([
    expect.stringContaining('./c.cjs.js, which is missing'),
  ]);
});

it('finds a dependency that nothing imports', () => {
  const dependencies = { ...MANIFEST.dependencies, commander: '^14.0.0' };
  expect(problems({}, { dependencies })).toEqual([expect.stringContaining('commander')]);
});

it.each(['0.1.0', 'workspace:^', 'file:../common', '*'])('finds the range %s', range => {
  const dependencies = { ...MANIFEST.dependencies, 'backstage-plugin-ask-ai-common': range };
  expect(problems({}, { dependencies })).toHaveLength(1);
});
