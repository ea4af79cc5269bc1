import type { z } from 'zod';
import { keysAt } from './schemaKeys';

type Issue = z.core.$ZodIssue;

/** Longest text that a message repeats, in characters. */
const LONGEST_QUOTE = 60;

/** How problems are told. */
export interface ProblemOptions {
  schema: z.ZodType;
  /** Stands before every key: `askAi` gives `askAi.defaultTopK`. Default: nothing. */
  prefix?: string;
  /** What is given at these keys, below them, or in place of a block around them is not repeated. */
  secretPaths?: readonly string[];
  /** How a missing value is called. Default `nothing`. */
  missing?: string;
}

/**
 * One sentence for each problem, each key once, in the order in which the schema finds them:
 * "Expected askAi.defaultTopK to be an integer from 1 to 100, got 0".
 *
 * @param issues - of a schema made of the blocks of `fields.ts`, whose messages are expectations.
 * @param value - what was given.
 */
export function describeProblems(
  issues: readonly Issue[],
  value: unknown,
  options: ProblemOptions,
): string[] {
  const sentences = new Map<string, string>();
  for (const issue of issues.flatMap(flatten)) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const name = keyName([...issue.path, key], options);
        sentences.set(name, unknownKey(issue.path, key, options));
      }
      continue;
    }
    const name = keyName(issue.path, options);
    if (!sentences.has(name)) {
      const received = describeValue(valueAt(value, issue.path), issue.path, options);
      sentences.set(name, `Expected ${name} to be ${issue.message}, got ${received}`);
    }
  }
  return [...sentences.values()];
}

/** What is wrong inside the object of a union says more than that no form of the union fits. */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') {
    return [issue];
  }
  const inside = issue.errors.find(errors => errors.every(error => error.path.length > 0));
  return inside
    ? inside.map(error => ({ ...error, path: [...issue.path, ...error.path] }))
    : [issue];
}

function unknownKey(path: readonly PropertyKey[], key: string, options: ProblemOptions): string {
  const nearest = nearestKey(key, keysAt(options.schema, path));
  const hint =
    nearest === undefined ? '' : `; did you mean ${keyName([...path, nearest], options)}?`;
  return `Unknown key ${keyName([...path, key], options)}${hint}`;
}

function keyName(path: readonly PropertyKey[], { prefix = '' }: ProblemOptions): string {
  const name = path.reduce<string>(
    (before, key) => (typeof key === 'number' ? `${before}[${key}]` : `${before}.${String(key)}`),
    prefix,
  );
  return name.replace(/^\./, '') || 'the whole';
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

function describeValue(
  value: unknown,
  path: readonly PropertyKey[],
  { missing = 'nothing', secretPaths = [] }: ProblemOptions,
): string {
  if (value === undefined) {
    return missing;
  }
  if (value === null) {
    return 'null';
  }
  if (value === '') {
    return 'an empty string';
  }
  if (Array.isArray(value)) {
    return 'a list';
  }
  if (typeof value === 'object') {
    return 'an object';
  }
  if (mayBeSecret(path, secretPaths)) {
    return `a ${typeof value}`;
  }
  return typeof value === 'string' ? quote(value) : String(value);
}

/** A text in place of a block may be the secret that belongs inside it. */
function mayBeSecret(path: readonly PropertyKey[], secretPaths: readonly string[]): boolean {
  const name = path.filter(key => typeof key === 'string').join('.');
  return secretPaths.some(
    secret =>
      name === '' || `${secret}.`.startsWith(`${name}.`) || `${name}.`.startsWith(`${secret}.`),
  );
}

function quote(value: string): string {
  const withoutCredentials = value.replace(/\/\/[^/@\s]*@/g, '//***@');
  return JSON.stringify(
    withoutCredentials.length > LONGEST_QUOTE
      ? `${withoutCredentials.slice(0, LONGEST_QUOTE)}...`
      : withoutCredentials,
  );
}

/** The key that was probably meant: at most a third of the letters differ, case apart. */
function nearestKey(key: string, candidates: string[]): string | undefined {
  const ranked = candidates
    .map(candidate => ({
      candidate,
      distance: editDistance(key.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.floor(key.length / 3))
    ? best.candidate
    : undefined;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substituted = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const removed = (previous[column] ?? 0) + 1;
      const inserted = (current[column - 1] ?? 0) + 1;
      current.push(Math.min(substituted, removed, inserted));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
