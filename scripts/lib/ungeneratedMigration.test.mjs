import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root } from './root.mjs';
import { findUngeneratedMigration } from './ungeneratedMigration.mjs';

let repository;

// Below node_modules, so that the schema finds drizzle-orm and no tool looks at it.
beforeEach(() => {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  repository = mkdtempSync(join(cache, 'ungenerated-'));
  cpSync(join(root, 'drizzle'), join(repository, 'drizzle'), { recursive: true });
  writeFileSync(
    join(repository, 'drizzle.config.ts'),
    `export default { dialect: 'postgresql', schema: './schema.ts', out: './drizzle' };`,
  );
});

afterEach(() => rmSync(repository, { recursive: true }));

function writeSchema(text) {
  const schema = join(root, 'plugins/ask-ai-backend/src/database/schema');
  writeFileSync(
    join(repository, 'schema.ts'),
    `import { pgTable, text } from 'drizzle-orm/pg-core';\nexport * from ${JSON.stringify(schema)};\n${text}`,
  );
}

it('finds nothing when the migrations make the schema', () => {
  writeSchema('');
  expect(findUngeneratedMigration(repository)).toBeUndefined();
});

it('finds a table that no migration makes', () => {
  writeSchema(`export const forgotten = pgTable('forgotten', { id: text('id') });`);
  expect(findUngeneratedMigration(repository)).toContain('npm run db:generate');
});

it('reports a schema that drizzle-kit can not read', () => {
  writeSchema('nonsense(');
  expect(findUngeneratedMigration(repository)).toContain('failed');
});
