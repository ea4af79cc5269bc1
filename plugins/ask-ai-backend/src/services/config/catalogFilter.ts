import { CATALOG_FILTER_EXISTS, type EntityFilterQuery } from '@backstage/catalog-client';
import { z } from 'zod';

const EXPECTED =
  'a catalog filter such as { "spec.lifecycle": production, "metadata.tags": [java, go], "spec.system": { $exists: true } }, or a list of them';

type Conditions = Record<string, string | symbol | (string | symbol)[]>;

/**
 * A catalog filter as Backstage's search takes it from the configuration: all keys of one object
 * must match, and any object of a list. `{ $exists: true }` asks for a key with whatever value.
 */
export const catalogFilterSchema = z.unknown().transform((value, context): EntityFilterQuery => {
  const filter = Array.isArray(value) ? readList(value) : readConditions(value);
  if (filter === undefined) {
    context.addIssue({ code: 'custom', message: EXPECTED });
    return z.NEVER;
  }
  return filter;
});

function readList(values: unknown[]): Conditions[] | undefined {
  const filters = values.map(readConditions);
  return filters.length > 0 && filters.every(filter => filter !== undefined) ? filters : undefined;
}

function readConditions(value: unknown): Conditions | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return undefined;
  }
  const conditions: Conditions = {};
  for (const [key, wanted] of Object.entries(value)) {
    const condition = readCondition(wanted);
    if (condition === undefined) {
      return undefined;
    }
    conditions[key] = condition;
  }
  return Object.keys(conditions).length > 0 ? conditions : undefined;
}

function readCondition(wanted: unknown): string | symbol | string[] | undefined {
  if (Array.isArray(wanted)) {
    const texts = wanted.map(scalarText);
    return texts.length > 0 && texts.every(item => item !== undefined) ? texts : undefined;
  }
  if (typeof wanted === 'object' && wanted !== null) {
    return '$exists' in wanted && wanted.$exists === true && Object.keys(wanted).length === 1
      ? CATALOG_FILTER_EXISTS
      : undefined;
  }
  return scalarText(wanted);
}

/** The catalog compares texts: a YAML number or boolean means its text. */
function scalarText(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}
