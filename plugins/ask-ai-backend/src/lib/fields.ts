import { z } from 'zod';

/**
 * Building blocks of the schema. The message of every field is what is expected, ready to stand in
 * "Expected askAi.defaultTopK to be ..., got ...". Environment substitution gives strings, so
 * numbers and booleans are accepted as strings, too.
 */
export function integer(minimum: number, maximum: number) {
  const expected = `an integer from ${minimum} to ${maximum}`;
  return z.preprocess(
    numberFromString,
    z.int(expected).min(minimum, expected).max(maximum, expected),
  );
}

export function ratio(minimum = 0, maximum = 1) {
  const expected = `a number from ${minimum} to ${maximum}`;
  return z.preprocess(
    numberFromString,
    z.number(expected).min(minimum, expected).max(maximum, expected),
  );
}

export function flag() {
  return z.preprocess(booleanFromString, z.boolean('true or false'));
}

export function text(expected: string) {
  return z.string(expected).refine(value => value.trim() !== '', expected);
}

export function httpUrl() {
  const expected = 'a URL that begins with http:// or https://';
  return z.string(expected).refine(isHttpUrl, expected).transform(withoutTrailingSlash);
}

export function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, `one of ${values.join(', ')}`);
}

export function listOf<Item extends z.ZodType>(item: Item, expected: string) {
  return z.array(item, expected);
}

/** Further keys are refused. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, 'an object');
}

function numberFromString(value: unknown): unknown {
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
    ? Number(value)
    : value;
}

function booleanFromString(value: unknown): unknown {
  if (typeof value !== 'string') {
    return value;
  }
  const lowerCase = value.trim().toLowerCase();
  return lowerCase === 'true' ? true : lowerCase === 'false' ? false : value;
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function withoutTrailingSlash(value: string): string {
  return value.replace(/\/+$/, '');
}
