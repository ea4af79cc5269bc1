import { isMasked, isPasswordOfUrl, isPlausibleSecret } from './redactPlausibility';

/** A kind of secret and how it is recognised. */
export interface SecretPattern {
  /** Stands in the text instead of the secret. */
  name: string;
  /**
   * Global. A group `secret` is what goes, after a group `before` that stays; without them the whole
   * match goes. Quantifiers are bounded, so that the time is in proportion to the text.
   */
  regex: RegExp;
  /** Whether what was matched is a secret rather than a placeholder. */
  isSecret?(match: string): boolean;
}

const isNotMasked = (value: string) => !isMasked(value);

/** What people call a secret where they assign one: `clientSecret`, `API_KEY`, `DB_PASSWORD`. */
export const SECRET_NAME =
  '(?:passw(?:or)?d|passphrase|pwd|(?:api|access|account|encryption|master|private|secret|signing)[-_ ]?key|secret|token|credential)s?';

/** Between name and value, in code, YAML and Markdown: `"token": `, `password=`, `**Password:** `. */
const ASSIGNMENT = '["\'`*_\\\\]{0,4}\\s{0,3}[:=](?:[*_]{1,3}(?=\\s))?\\s{0,3}';

/** The mark of a value that begins on the next line of YAML. */
const BLOCK_SCALAR = '(?:[|>][-+\\d]{0,2}[ \\t]{0,3}\\r?\\n\\s{0,20})?';

/** What follows an `&` where it ends the value of a parameter of a URL. */
const NEXT_PARAMETER = '(?:amp;)?[\\w.-]{1,60}=';

const KEY = '(?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?';

/** Credentials by the forms that their issuers document. */
const ISSUED: SecretPattern[] = [
  { name: 'AWS access key id', regex: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  {
    name: 'AWS secret access key',
    regex:
      /(?<before>\baws_?(?:secret_?)?(?:access_?)?key["']?\s{0,5}[:=]\s{0,5}["']?)(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi,
  },
  {
    name: 'GitHub token',
    regex:
      /\b(?:gh[pousr]_[A-Za-z0-9_-]{36,4000}(?:\.[A-Za-z0-9_-]{10,4000}){0,2}|github_pat_[A-Za-z0-9_]{22,4000})/g,
  },
  {
    name: 'GitLab token',
    regex: /\bgl(?:pat|ptt|dt|rt|cbt|soat|ft|oas|imt|agent)-[A-Za-z0-9_-]{20,4000}/g,
  },
  {
    name: 'Slack token',
    regex: /\b(?:xox[abeoprs]-[A-Za-z0-9-]{10,4000}|xapp-\d-[A-Za-z0-9-]{10,4000})/g,
  },
  {
    name: 'Slack webhook',
    regex: /\bhooks\.slack\.com\/services\/T[A-Z0-9]{6,12}\/B[A-Z0-9]{6,12}\/[A-Za-z0-9]{18,30}\b/g,
  },
  { name: 'npm token', regex: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { name: 'Stripe key', regex: /\b(?:(?:sk|rk)_(?:live|test)|whsec)_[A-Za-z0-9]{16,4000}/g },
  { name: 'Google API key', regex: /\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/g },
  { name: 'Google OAuth secret', regex: /\bGOCSPX-[A-Za-z0-9_-]{28}(?![A-Za-z0-9_-])/g },
  { name: 'model API key', regex: /\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{32,4000}/g },
].map(pattern => ({ ...pattern, isSecret: isNotMasked }));

/** Credentials of well-known issuers, and values assigned to what is called a secret. */
export const BUILT_IN_PATTERNS: SecretPattern[] = [
  {
    name: 'private key',
    // Whole, or cut off: the words that follow a mere mention of the first line stay.
    regex: new RegExp(
      `-----BEGIN ${KEY}-----(?:(?:(?!-----)[^]){1,20000}-----END ${KEY}-----|(?:[\\s\\\\nr]{0,10}[A-Za-z0-9+/=]{40,100}){1,400})`,
      'g',
    ),
  },
  ...ISSUED,
  {
    name: 'JSON Web Token',
    regex:
      /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,2000}/g,
  },
  {
    name: 'password in a URL',
    // To the last `@`, as a password may have one.
    regex:
      /(?<before>\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/?#@'"`<>[\]]{0,100}:)(?<secret>[^\s:/?#'"`<>[\]]{3,4000})(?=@[A-Za-z0-9_$[{<.-])/gi,
    isSecret: isPasswordOfUrl,
  },
  {
    name: 'authorization header',
    regex:
      /(?<before>\bAuthorization["']?\s{0,3}[:=]\s{0,3}["']?(?:Bearer|Basic|token)\s{1,3})(?<secret>[A-Za-z0-9+/=._~-]{16,4000})/gi,
    isSecret: isPlausibleSecret,
  },
  {
    name: 'assigned secret',
    regex: new RegExp(
      `(?<before>${SECRET_NAME}${ASSIGNMENT}(?<quote>["'\`]))(?<secret>[^"'\`\\n]{8,4000})(?=\\k<quote>)`,
      'gi',
    ),
    isSecret: isPlausibleSecret,
  },
  {
    name: 'assigned secret',
    regex: new RegExp(
      `(?<before>${SECRET_NAME}${ASSIGNMENT}${BLOCK_SCALAR}(?:\\\\["']|\\*\\*(?!\\*))?)(?<secret>(?:[^\\s"'\`,;<>(){}[\\]&]|&(?!${NEXT_PARAMETER})){8,4000})`,
      'gi',
    ),
    isSecret: isPlausibleSecret,
  },
  {
    name: 'assigned secret',
    // An element of XML, which may be escaped for Markdown.
    regex: new RegExp(
      `(?<before>\\\\?<[\\w.:-]{0,40}${SECRET_NAME}(?:\\s[^<>]{0,200})?>)(?<secret>[^<>\\s]{8,4000})(?=</)`,
      'gi',
    ),
    isSecret: isPlausibleSecret,
  },
];
