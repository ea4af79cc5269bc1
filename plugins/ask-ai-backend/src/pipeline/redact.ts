import { createHash } from 'node:crypto';
import { BUILT_IN_PATTERNS, type SecretPattern } from './redactPatterns';
import { redactTables } from './redactTables';

/** What is taken out of texts, as `askAi.index.redact` says it. */
export interface RedactionOptions {
  /** Whether well-known credentials are recognised. Default `true`. */
  builtIn?: boolean;
  /** Further ones, as regular expressions of JavaScript; the whole match goes. */
  patterns?: { name: string; regex: string | RegExp }[];
}

export interface Redactor {
  /**
   * Replaces every secret by `[redacted: NAME]`. Must see a whole section: a border of chunks may run
   * through a secret.
   */
  redact(text: string): { text: string; count: number };
  /** Changes whenever `redact` may give something else. */
  readonly fingerprint: string;
}

/** Raised when the same patterns take out something else. */
const REDACTION_VERSION = 2;

/**
 * Built-in patterns first, then the configured ones in their order. The built-in ones take time in
 * proportion to the text; a configured one takes what it takes.
 */
export function createRedactor({ builtIn = true, patterns = [] }: RedactionOptions = {}): Redactor {
  const known = builtIn ? BUILT_IN_PATTERNS : [];
  const configured = patterns.map(({ name, regex }) => ({ name, regex: toGlobal(regex) }));
  const description = [...known, ...configured].map(({ name, regex }) => [
    name,
    regex.source,
    regex.flags,
  ]);
  const steps = [
    (text: string) => redactAll(text, known),
    ...(builtIn ? [redactTables] : []),
    (text: string) => redactAll(text, configured),
  ];
  return {
    redact: text => {
      let redacted = { text, count: 0 };
      for (const step of steps) {
        const { text: next, count } = step(redacted.text);
        redacted = { text: next, count: redacted.count + count };
      }
      return redacted;
    },
    fingerprint: createHash('sha256')
      .update(JSON.stringify([REDACTION_VERSION, description]))
      .digest('hex')
      .slice(0, 16),
  };
}

function redactAll(text: string, patterns: SecretPattern[]): { text: string; count: number } {
  let count = 0;
  let redacted = text;
  for (const { name, regex, isSecret } of patterns) {
    redacted = redacted.replace(regex, (match, ...rest) => {
      const groups = namedGroups(rest);
      const secret = groups?.secret ?? match;
      if (secret === '' || isSecret?.(secret) === false) {
        return match;
      }
      count++;
      // By position, as the same characters may stand in front of the secret, too.
      const start = groups?.before?.length ?? 0;
      return `${match.slice(0, start)}[redacted: ${name}]${match.slice(start + secret.length)}`;
    });
  }
  return { text: redacted, count };
}

/** The last argument of a replacer, when the pattern names its groups. */
function namedGroups(rest: unknown[]): Record<string, string | undefined> | undefined {
  const last = rest.at(-1);
  return typeof last === 'object' && last !== null
    ? (last as Record<string, string | undefined>)
    : undefined;
}

function toGlobal(regex: string | RegExp): RegExp {
  return typeof regex === 'string'
    ? new RegExp(regex, 'g')
    : new RegExp(regex.source, regex.flags.includes('g') ? regex.flags : `${regex.flags}g`);
}
