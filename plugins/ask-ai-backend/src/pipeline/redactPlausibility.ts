/** Bits a character. Below it a value is a word or a repetition: `changeme` has 2.5, `aaaa` 0. */
const LEAST_ENTROPY = 2.75;

/** What shows the form of a value only. */
const MASK = /[x*]{6}|\.{3}|\[redacted/i;

/** What takes the place of a value: a variable, a template, a description in angle brackets. */
const VARIABLE = /^[$%!]|[$#]\{|\$\(|\{\{|<[^>]{0,100}>/;

/** Values of examples begin like this. */
const EXAMPLE =
  /^(?:x{3}|\*{3}|your|my[-_]?|example|sample|dummy|fake|placeholder|change[-_]?me|replace|insert|todo|foo|bar|undefined|null|true|false|string)/i;

/** Names of variables in code, paths, addresses, versions, dates. */
const REFERENCE =
  /^[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)+$|^\.{0,2}\/|:\/\/|^v?\d+(?:\.\d+)+$|^\d{4}-\d\d-\d\d/;

/** May begin with a slash, but is no path. */
const LONG_BASE64 = /^(?=.*[A-Z])(?=.*\d)[A-Za-z0-9+/]{40,}={0,2}$/;

/** Words with a small number behind: `registry-pull-secret-v2`. */
const NAME = /^[a-z]+(?:[-_.][a-z]+)*(?:[-_.]?v?\d{1,3})?$/i;

/**
 * What tables that document parameters hold: types (`OAuth2Token`, `UINT16_BE`), names with
 * numbers within them (`payments-db-v2-tls`), versions, lists and links.
 */
const NAME_IN_TABLE =
  /^[A-Za-z]+(?:\d{1,3}[A-Za-z]*)?(?:[-_.][A-Za-z]*(?:\d{1,3}[A-Za-z]*)?)*$|^[a-z]+\d{0,4}(?:[-_.][a-z\d]+)+$|^[~^<>=v]{0,3}\d+\.\d|,|\]\(/;

/** Passwords of examples in connection strings. */
const USUAL_PASSWORDS = new Set(
  'password passwd pass pwd mypassword yourpassword postgres admin root user username guest'.split(
    ' ',
  ),
);

/** Whether characters of a value were replaced: `ghp_xxxxxxxxxxxx`. */
export function isMasked(value: string): boolean {
  return MASK.test(value);
}

/** Whether the password of a URL is more than an example of one. */
export function isPasswordOfUrl(value: string): boolean {
  return !isPlaceholder(value) && !USUAL_PASSWORDS.has(value.toLowerCase());
}

/**
 * Whether a value that is assigned to `password`, `token` or the like is one: letters with digits, of
 * some variety, and neither a name nor an example.
 */
export function isPlausibleSecret(value: string): boolean {
  return (
    /\d/.test(value) &&
    /[A-Za-z]/.test(value) &&
    !/\s/.test(value.trim()) &&
    !isPlaceholder(value) &&
    (!REFERENCE.test(value) || LONG_BASE64.test(value)) &&
    !NAME.test(value) &&
    entropyOf(value) >= LEAST_ENTROPY
  );
}

/** Whether a plausible value is more likely a name where it stands in a table, with no `=` before it. */
export function isNameInTable(value: string): boolean {
  return NAME_IN_TABLE.test(value);
}

function isPlaceholder(value: string): boolean {
  return isMasked(value) || VARIABLE.test(value) || EXAMPLE.test(value);
}

/** Shannon's, in bits a character. */
function entropyOf(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) {
    counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  let entropy = 0;
  for (const count of counts.values()) {
    const share = count / value.length;
    entropy -= share * Math.log2(share);
  }
  return entropy;
}
