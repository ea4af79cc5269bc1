import { CATALOG_FILTER_EXISTS } from '@backstage/catalog-client';
import { describe, expect, it } from 'vitest';
import { catalogFilterSchema } from './catalogFilter';

describe('catalogFilterSchema', () => {
  it.each([
    [{ 'spec.lifecycle': 'production' }, { 'spec.lifecycle': 'production' }],
    [
      [{ kind: ['API', 'Component'] }, { 'metadata.tags': 'java' }],
      [{ kind: ['API', 'Component'] }, { 'metadata.tags': 'java' }],
    ],
    [
      { 'metadata.annotations.backstage.io/techdocs-ref': { $exists: true } },
      { 'metadata.annotations.backstage.io/techdocs-ref': CATALOG_FILTER_EXISTS },
    ],
    [{ 'metadata.labels.tier': 1 }, { 'metadata.labels.tier': '1' }],
  ])('reads %j', (value, filter) => {
    expect(catalogFilterSchema.parse(value)).toEqual(filter);
  });

  it.each([
    'kind=Component',
    [],
    {},
    { kind: [] },
    { kind: { $in: ['API'] } },
    { 'spec.system': { $exists: false } },
    [{ kind: 'API' }, 'kind=Component'],
  ])('refuses %j', value => {
    expect(catalogFilterSchema.safeParse(value).success).toBe(false);
  });
});
