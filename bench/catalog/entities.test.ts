import type { Entity } from '@backstage/catalog-model';
import { describe, expect, it } from 'vitest';
import { generateEntities } from './entities';

const COUNT = 250;

const refOf = ({ kind, metadata }: Entity) => `${kind.toLowerCase()}:default/${metadata.name}`;

describe('the generated catalog', () => {
  const entities = generateEntities(COUNT);

  it('is the same each time', () => {
    expect(generateEntities(COUNT)).toEqual(entities);
  });

  it('has no two entities of one name or with one text', () => {
    expect(entities).toHaveLength(COUNT);
    expect(new Set(entities.map(refOf)).size).toBe(COUNT);
    const texts = entities.map(({ metadata }) => metadata.description).filter(Boolean);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('has all kinds, which refer to entities that are there', () => {
    const refs = new Set(entities.map(refOf));
    expect(new Set(entities.map(({ kind }) => kind)).size).toBe(5);
    const named = JSON.stringify(entities).match(/[a-z]+:default\/[\w-]+/g) ?? [];
    expect(named.length).toBeGreaterThan(COUNT);
    expect(named.filter(ref => !refs.has(ref))).toEqual([]);
  });
});
