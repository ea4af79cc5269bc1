import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Entity, parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const ROOT = resolve(__dirname, '../../..');
const CATALOG = resolve(ROOT, 'examples/catalog/all.yaml');

/** Fields of a specification that name other entities, and the kind that is meant without one. */
const REFERENCES: Record<string, string> = {
  owner: 'group',
  system: 'system',
  domain: 'domain',
  subcomponentOf: 'component',
  dependsOn: 'component',
  providesApis: 'api',
  consumesApis: 'api',
  parent: 'group',
  children: 'group',
  members: 'user',
  memberOf: 'group',
};

interface SampleEntity {
  file: string;
  entity: Entity;
}

describe('the sample catalog', () => {
  const entities = [...readLocation(CATALOG), ...readFile(resolve(ROOT, 'catalog-info.yaml'))];

  it('has every entity once', () => {
    const refs = entities.map(({ entity }) => stringifyEntityRef(entity));
    expect(new Set(refs).size).toBe(refs.length);
    expect(refs).toContain('component:default/ask-ai');
  });

  it('refers to entities that it has', () => {
    const known = new Set(entities.map(({ entity }) => stringifyEntityRef(entity)));
    const dangling = entities.flatMap(({ entity }) =>
      referencesOf(entity)
        .filter(ref => !known.has(ref))
        .map(ref => `${stringifyEntityRef(entity)} -> ${ref}`),
    );
    expect(dangling).toEqual([]);
  });

  it('has the documentation that it names, page by page', () => {
    const folders = entities.flatMap(({ file, entity }) => {
      const ref = entity.metadata.annotations?.['backstage.io/techdocs-ref'];
      return ref ? [resolve(dirname(file), ref.replace(/^dir:/, ''))] : [];
    });
    expect(folders.length).toBeGreaterThanOrEqual(3);
    const missing = folders.flatMap(folder => pagesOf(folder).filter(page => !existsSync(page)));
    expect(missing).toEqual([]);
  });
});

function readLocation(file: string): SampleEntity[] {
  const { targets } = parse(readFileSync(file, 'utf8')).spec as { targets: string[] };
  return targets.flatMap(target => readFile(resolve(dirname(file), target)));
}

function readFile(file: string): SampleEntity[] {
  return parseAllDocuments(readFileSync(file, 'utf8')).map(document => ({
    file,
    entity: document.toJS() as Entity,
  }));
}

function referencesOf({ spec = {} }: Entity): string[] {
  return Object.entries(REFERENCES).flatMap(([field, defaultKind]) =>
    [spec[field] ?? []]
      .flat()
      .map(ref => stringifyEntityRef(parseEntityRef(String(ref), { defaultKind }))),
  );
}

function pagesOf(folder: string): string[] {
  const { nav } = parse(readFileSync(resolve(folder, 'mkdocs.yml'), 'utf8')) as {
    nav: Record<string, string>[];
  };
  return nav.flatMap(entry => Object.values(entry)).map(page => resolve(folder, 'docs', page));
}
