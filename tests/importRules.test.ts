import { describe, expect, it } from 'vitest';
import { packageName } from './importRules/importGraph';
import { parseSource } from './importRules/parseSource';
import { readDependencies, readProductFiles } from './importRules/readRepository';
import { findViolations } from './importRules/rules';

const BACKEND = 'plugins/ask-ai-backend/src';

describe('the product', () => {
  it('keeps the rules', () => {
    const files = readProductFiles();
    expect(files.length).toBeGreaterThan(50);
    expect(findViolations(files, readDependencies())).toEqual([]);
  });
});

/** Violations in a repository of these files, where every package may be imported. */
function check(texts: Record<string, string>): string[] {
  const files = Object.entries(texts).map(([path, text]) => parseSource(path, text));
  const everything = files.flatMap(file => file.specifiers.map(packageName));
  const dependencies = ['common', 'node', 'backend'].map(
    name => [`plugins/ask-ai-${name}`, everything] as const,
  );
  return findViolations(files, new Map(dependencies));
}

/** Violations when a backend file imports another. */
function checkImport(from: string, to: string, text = `import { x } from '${to}';`): string[] {
  const target = new URL(`${to}.ts`, `file:///${BACKEND}/${from}`).pathname.slice(1);
  return check({ [`${BACKEND}/${from}`]: text, [target]: 'export const x = 1;' });
}

describe('findViolations', () => {
  it.each([
    ['pipeline/answer.ts', '../providers/OllamaLanguageModel'],
    ['pipeline/answer.ts', '../services/PgVectorStore'],
    ['pipeline/answer.ts', '../database/schema'],
    ['database/schema.ts', '../services/ConfigService'],
    ['lib/text.ts', '../pipeline/chunk'],
    ['types.ts', './errors'],
    ['errors.ts', './lib/text'],
    ['providers/OllamaLanguageModel.ts', '../services/ConfigService'],
    ['collectors/CatalogCollector.ts', '../pipeline/chunk'],
    ['services/HealthService.ts', '../runtime'],
    ['services/CachedVectorStore.ts', './PgVectorStore'],
    ['collectors/TechDocsCollector.ts', './CatalogCollector'],
    ['collectors/TechDocsCollector.ts', './catalog/sections'],
    ['collectors/techdocs/sections.ts', '../catalog/sections'],
    ['collectors/techdocs/sections.ts', '../CatalogCollector'],
    ['router.ts', './testing/fakeStore'],
  ])('refuses that %s imports %s', (from, to) => {
    expect(checkImport(from, to)).toEqual([expect.stringContaining(`${BACKEND}/${from}: imports`)]);
  });

  it.each([
    ['pipeline/answer.ts', './answering/prompt'],
    ['pipeline/answer.ts', '../lib/text'],
    ['services/VectorStoreFactory.ts', './PgVectorStore'],
    ['services/PgVectorStore.ts', '../database/schema'],
    ['services/ConfigService.ts', './config/schema'],
    ['collectors/TechDocsCollector.ts', './techdocs/sections'],
    ['collectors/TechDocsCollector.ts', './fingerprint'],
    ['collectors/techdocs/sections.ts', '../fingerprint'],
    ['runtime.ts', './services/VectorStoreFactory'],
  ])('accepts that %s imports %s', (from, to) => {
    expect(checkImport(from, to)).toEqual([]);
  });

  it.each([
    `import type { x } from '../services/PgVectorStore';`,
    `export * from '../services/PgVectorStore';`,
    `type X = import('../services/PgVectorStore').X;`,
    `const x = await import('../services/PgVectorStore');`,
    `const x = require('../services/PgVectorStore');`,
    `import x = require('../services/PgVectorStore');`,
  ])('sees the import in: %s', text => {
    expect(checkImport('pipeline/answer.ts', '../services/PgVectorStore', text)).toHaveLength(1);
  });

  it('sees no import in a comment or a string', () => {
    const text = `// import '../services/PgVectorStore'\nexport const x = "import '../services/PgVectorStore'";`;
    expect(checkImport('pipeline/answer.ts', '../services/PgVectorStore', text)).toEqual([]);
  });

  it('finds a cycle, also one of types over packages', () => {
    const violations = check({
      [`${BACKEND}/lib/a.ts`]: `import type { B } from './b';`,
      [`${BACKEND}/lib/b.ts`]: `import type { C } from './c';`,
      [`${BACKEND}/lib/c.ts`]: `import type { A } from './a';`,
    });
    expect(violations).toEqual([
      `import cycle: ${['a', 'b', 'c', 'a'].map(name => `${BACKEND}/lib/${name}.ts`).join(' -> ')}`,
    ]);
  });

  it('keeps the packages in one direction', () => {
    const violations = check({
      'plugins/ask-ai-common/src/index.ts': `import 'backstage-plugin-ask-ai-node';`,
      'plugins/ask-ai-node/src/index.ts': `import 'backstage-plugin-ask-ai-backend';`,
      'plugins/ask-ai-node/src/testUtils.ts': `import 'backstage-plugin-ask-ai-common';`,
      [`${BACKEND}/index.ts`]: `import 'backstage-plugin-ask-ai-node/testUtils';`,
    });
    expect(violations.filter(violation => violation.includes('its package may not'))).toHaveLength(
      2,
    );
  });

  it.each(['pg', 'drizzle-orm', 'drizzle-orm/node-postgres', '@electric-sql/pglite'])(
    'refuses %s outside of the database code',
    name => {
      const text = `import { x } from '${name}';`;
      expect(check({ [`${BACKEND}/services/HealthService.ts`]: text })).toHaveLength(1);
      expect(check({ [`${BACKEND}/services/PgVectorStore.ts`]: text })).toEqual([]);
      expect(check({ [`${BACKEND}/database/schema.ts`]: text })).toEqual([]);
    },
  );

  it('refuses a vendor in the pipeline', () => {
    expect(check({ [`${BACKEND}/pipeline/embed.ts`]: `import { Ollama } from 'ollama';` })).toEqual(
      [`${BACKEND}/pipeline/embed.ts: imports ollama, but the pipeline knows no vendor`],
    );
  });

  it.each([
    'process.env.HOME',
    `process['env'].HOME`,
    'globalThis.process.env',
    '{ const { env: e } = process; }',
    `import { env } from 'node:process';`,
  ])('refuses to read the environment in: %s', text => {
    expect(check({ [`${BACKEND}/router.ts`]: text })).toHaveLength(1);
    expect(check({ [`${BACKEND}/cli/main.ts`]: text })).toEqual([]);
  });

  it('refuses to read configuration outside of ConfigService and the command line', () => {
    const text = `import { ConfigReader } from '@backstage/config';`;
    expect(check({ [`${BACKEND}/router.ts`]: text })).toHaveLength(1);
    expect(check({ [`${BACKEND}/services/ConfigService.ts`]: text })).toEqual([]);
  });

  it('refuses a package that the manifest does not list', () => {
    const files = [parseSource(`${BACKEND}/router.ts`, `import express from 'express';`)];
    expect(findViolations(files, new Map([['plugins/ask-ai-backend', ['zod']]]))).toHaveLength(1);
  });

  it('refuses a file of more than 300 lines', () => {
    expect(check({ [`${BACKEND}/lib/a.ts`]: '\n'.repeat(300) })).toEqual([]);
    expect(check({ [`${BACKEND}/lib/a.ts`]: '\n'.repeat(301) })).toEqual([
      `${BACKEND}/lib/a.ts: 301 lines, at most 300`,
    ]);
  });
});
