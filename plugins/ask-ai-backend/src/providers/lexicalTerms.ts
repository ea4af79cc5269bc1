/**
 * Words of English that say how a sentence is built, not what it is about. Technical words that look
 * alike (`not`, `null`, `new`) are left out on purpose.
 */
const FUNCTION_WORDS = new Set(
  (
    'a about after again all also am an and any are as at be because been before being below between ' +
    'both but by can could did do does doing done down during each few for from further get gets got had ' +
    'has have having he her here hers him his how i if in into is it its itself just let like may me might ' +
    'more most must my no nor now of off on once only onto or other our out over own per same shall she ' +
    'should so some such than that the their them then there these they this those through to too under ' +
    'until up upon us use used user uses using very via want was we were what when where whether which ' +
    'while who whom why will with within without would yet you your'
  ).split(' '),
);

/** Scripts that put no space between words: there every pair of characters counts as a word. */
const UNSPACED =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

/** Words, identifiers held together by punctuation (`backend.auth.externalAccess`), and emoji. */
const TOKEN =
  /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:[._\-/:@$]+[\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*|\p{Extended_Pictographic}/gu;

const ASCII_ONLY = /^[\0-\x7f]*$/;
const ENGLISH_WORD = /^[a-z]+$/;
const LOWER_TO_UPPER = /([\p{Ll}\p{N}])(?=\p{Lu})/gu;
const ACRONYM_TO_WORD = /(\p{Lu})(?=\p{Lu}\p{Ll})/gu;
const JOINTS = /[\s._\-/:@$]+/;

/** A token as the text has it: `externalAccess`, `ERR_MODULE_NOT_FOUND`, `rolled`. */
export interface Token {
  raw: string;
  /** Position in the normalised text. */
  index: number;
}

/** What a token consists of. */
export interface TokenTerms {
  /** Stems of its words, in order; function words are kept as they are. */
  words: string[];
  /** The whole identifier in lower case, when it has more than one word. */
  identifier?: string;
}

/** Equal text for what a reader takes as equal: full-width and accented forms become plain ones. */
export function normaliseText(text: string): string {
  if (ASCII_ONLY.test(text)) return text;
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC');
}

/** The tokens of a normalised text, in order. */
export function findTokens(normalised: string): Token[] {
  const tokens: Token[] = [];
  for (const match of normalised.matchAll(TOKEN)) {
    tokens.push({ raw: match[0], index: match.index });
  }
  return tokens;
}

/** Splits a token at punctuation and at changes of case. */
export function termsOf(raw: string): TokenTerms {
  if (UNSPACED.test(raw)) return { words: characterPairs(raw.toLowerCase()) };
  const parts = raw
    .replace(LOWER_TO_UPPER, '$1 ')
    .replace(ACRONYM_TO_WORD, '$1 ')
    .split(JOINTS)
    .filter(part => part !== '');
  const words = parts.map(part => stem(part.toLowerCase()));
  return parts.length > 1 ? { words, identifier: raw.toLowerCase() } : { words };
}

export function isFunctionWord(word: string): boolean {
  return FUNCTION_WORDS.has(word);
}

function characterPairs(text: string): string[] {
  const characters = [...text];
  if (characters.length < 2) return characters;
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

/**
 * Takes the commonest English endings off, so that `rolls`, `rolled` and `rolling` are one term. It is
 * lighter than Porter's stemmer: what it misses, the character n-grams still bring close.
 */
export function stem(word: string): string {
  if (word.length <= 3 || !ENGLISH_WORD.test(word) || isFunctionWord(word)) return word;
  let stemmed = withoutPlural(word);
  if (stemmed.length > 5 && stemmed.endsWith('ing')) stemmed = stemmed.slice(0, -3);
  else if (stemmed.length > 4 && /[^e]ed$/.test(stemmed)) stemmed = stemmed.slice(0, -2);
  else if (stemmed.length > 5 && /(?:er|ly)$/.test(stemmed)) stemmed = stemmed.slice(0, -2);
  if (stemmed.length > 3 && /([^lsz])\1$/.test(stemmed)) stemmed = stemmed.slice(0, -1);
  if (stemmed.length > 3 && stemmed.endsWith('e')) stemmed = stemmed.slice(0, -1);
  if (stemmed.length > 3 && stemmed.endsWith('y')) stemmed = `${stemmed.slice(0, -1)}i`;
  return stemmed;
}

function withoutPlural(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (word.endsWith('sses')) return word.slice(0, -2);
  return /[^sui]s$/.test(word) ? word.slice(0, -1) : word;
}
