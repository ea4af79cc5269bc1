import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigReader } from '@backstage/config';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { keysAt, objectIn } from '../../lib/schemaKeys';
import { ConfigService } from '../ConfigService';
import { askAiSchema, SECRET_PATHS } from './schema';

const DECLARATION = resolve(__dirname, '../../../config.d.ts');
const DOCUMENT = resolve(__dirname, '../../../../../docs/CONFIG.md');

interface DeclaredKey {
  path: string;
  documentation: string;
  secret: boolean;
}

describe('config.d.ts', () => {
  const declared = declaredKeys();

  it('declares exactly the keys that are read', () => {
    expect(declared.map(key => key.path).sort()).toEqual(schemaPaths().sort());
  });

  it('marks exactly the secrets', () => {
    expect(declared.filter(key => key.secret).map(key => key.path)).toEqual(SECRET_PATHS);
  });

  it('documents every key that is no block', () => {
    const leaves = declared.filter(key => !objectAt(key.path));
    const obvious = ['database', 'user'].map(key => `vectorStore.postgresql.${key}`);
    expect(leaves.filter(key => key.documentation === '').map(key => key.path)).toEqual(obvious);
  });

  it('tells the defaults that hold', () => {
    const told = declared.flatMap(({ path, documentation }) => {
      const value = /Default `([^`]+)`\./.exec(documentation)?.[1];
      return value === undefined ? [] : [[path, value]];
    });
    expect(told.length).toBeGreaterThan(15);
    expect(told).toEqual(told.map(([path = '']) => [path, String(defaultAt(path))]));
  });
});

describe('docs/CONFIG.md', () => {
  const documented = documentedKeys();

  it('lists exactly the keys that are read, and no block but a list or one that may be a value', () => {
    const values = schemaPaths().filter(path => !objectAt(path));
    const lists = ['index.redact.patterns', 'vectorStore.postgresql.ssl'];
    expect(documented.map(({ path }) => path).sort()).toEqual([...values, ...lists].sort());
  });

  it('tells the defaults that hold', () => {
    const told = documented.flatMap(({ path, defaultValue }) => {
      const value = /^`([^`]+)`$/.exec(defaultValue)?.[1];
      return value === undefined ? [] : [[path, value]];
    });
    expect(told.length).toBeGreaterThan(15);
    expect(told).toEqual(told.map(([path = '']) => [path, String(defaultAt(path))]));
  });
});

/** Rows of the tables of three columns. */
function documentedKeys(): { path: string; defaultValue: string }[] {
  return [
    ...readFileSync(DOCUMENT, 'utf8').matchAll(/^\| `([^`]+)` +\| [^|]+ \| ([^|]+) \|$/gm),
  ].map(([, path = '', defaultValue = '']) => ({ path, defaultValue: defaultValue.trim() }));
}

function objectAt(path: string) {
  return keysAt(askAiSchema, path.split('.')).length > 0;
}

function schemaPaths(): string[] {
  const walk = (schema: unknown, prefix: string): string[] =>
    Object.entries(objectIn(schema)?.shape ?? {}).flatMap(([key, inner]) => [
      `${prefix}${key}`,
      ...walk(inner, `${prefix}${key}.`),
    ]);
  return walk(askAiSchema, '');
}

function defaultAt(path: string): unknown {
  const service = ConfigService.fromConfig(
    new ConfigReader({
      askAi: { vectorStore: { postgresql: { host: 'h', database: 'd', user: 'u', password: '' } } },
    }),
  );
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) => (value as Record<string, unknown> | undefined)?.[key],
      service.getConfig(),
    );
}

/** Every key below `askAi`, as TypeScript parses the file. */
function declaredKeys(): DeclaredKey[] {
  const source = ts.createSourceFile(
    DECLARATION,
    readFileSync(DECLARATION, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const config = source.statements.find(ts.isInterfaceDeclaration);
  const askAi = config?.members.find(ts.isPropertySignature)?.type;
  return askAi ? keysOf(askAi, '') : [];
}

function keysOf(type: ts.TypeNode, prefix: string): DeclaredKey[] {
  return membersOf(type).flatMap(member => {
    const path = `${prefix}${member.name.getText()}`;
    const self = {
      path,
      documentation: ts
        .getJSDocCommentsAndTags(member)
        .map(node => (typeof node.comment === 'string' ? node.comment.replace(/\s+/g, ' ') : ''))
        .join(' ')
        .trim(),
      secret: ts
        .getJSDocTags(member)
        .some(tag => /isibility/.test(tag.tagName.text) && tag.comment === 'secret'),
    };
    return objectAt(path) && member.type ? [self, ...keysOf(member.type, `${path}.`)] : [self];
  });
}

function membersOf(type: ts.TypeNode): ts.PropertySignature[] {
  if (ts.isTypeLiteralNode(type)) {
    return type.members.filter(ts.isPropertySignature);
  }
  if (ts.isUnionTypeNode(type)) {
    return type.types.flatMap(membersOf);
  }
  return ts.isArrayTypeNode(type) ? membersOf(type.elementType) : [];
}
