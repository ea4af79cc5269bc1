/**
 * What one token holds, by the kind of character. Set against WordPiece (BERT, all-minilm), cl100k and
 * o200k on 1 MB of technical Markdown and samples of other languages.
 */
const LATIN_LETTERS_PER_TOKEN = 5;
/** Acronyms, constants and Base64. */
const CAPITALS_PER_TOKEN = 3;
/** Half of the tokenizers cut numbers after two digits, the others after three. */
const DIGITS_PER_TOKEN = 2;
/** Accented Latin, Greek, Cyrillic: rare in the vocabularies. */
const ALPHABET_LETTERS_PER_TOKEN = 1.5;
/** Chinese, Japanese, Korean, Indic and Arabic characters. */
const TOKENS_PER_WIDE_CHARACTER = 1.5;
/** Half of an emoji or of another character beyond the basic plane: spelt as bytes. */
const TOKENS_PER_SURROGATE = 1.5;

/** No code unit counts for more. */
export const MOST_TOKENS_PER_CHARACTER = 1.5;

const SPACE = 0;
const LOWER = 1;
const UPPER = 2;
const DIGIT = 3;
const SIGN = 4;
const ALPHABET = 5;
const WIDE = 6;
const SURROGATE = 7;

const NEWLINE = 10;

/**
 * How many tokens a model is likely to count for a text, from its characters alone: every tokenizer
 * counts differently, and the chunks must not depend on one.
 *
 * Against the largest of the counts that it was set against it gives 1.08 x for prose, 1.19 x for
 * code, 1.12 x for tables, 1.5 x for Chinese and Japanese; one section in a hundred is below by up to
 * 7 %. Base64 is 0.8 x, and tokenizers made for English spell out other alphabets (0.75 x).
 *
 * Texts joined by white space have at most the sum of their estimates plus one; joined by one blank or
 * by nothing, at most the sum. An empty text has none.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  let start = 0;
  while (start < text.length) {
    const kind = kindOf(text.charCodeAt(start));
    const end = endOfRun(text, start, kind);
    tokens += tokensOfRun(text, start, end, kind);
    start = end;
  }
  return Math.ceil(tokens);
}

/** End of the longest piece from `start` that is counted together: a word, a number, white space. */
function endOfRun(text: string, start: number, kind: number): number {
  let end = start + 1;
  if (kind === UPPER && kindAt(text, end) === LOWER) {
    // A capitalised word is one.
    while (kindAt(text, end) === LOWER) end++;
  } else if (kind !== SIGN && kind !== WIDE && kind !== SURROGATE) {
    while (kindAt(text, end) === kind) end++;
  }
  return end;
}

function tokensOfRun(text: string, start: number, end: number, kind: number): number {
  const length = end - start;
  switch (kind) {
    case SPACE:
      return length > 1 || text.charCodeAt(start) === NEWLINE ? 1 : 0;
    case DIGIT:
      return Math.ceil(length / DIGITS_PER_TOKEN);
    case ALPHABET:
      return Math.ceil(length / ALPHABET_LETTERS_PER_TOKEN);
    case WIDE:
      return TOKENS_PER_WIDE_CHARACTER;
    case SURROGATE:
      return TOKENS_PER_SURROGATE;
    case SIGN:
      return 1;
    default: {
      const isCapitals = kindOf(text.charCodeAt(end - 1)) === UPPER;
      return Math.ceil(length / (isCapitals ? CAPITALS_PER_TOKEN : LATIN_LETTERS_PER_TOKEN));
    }
  }
}

function kindAt(text: string, index: number): number {
  return index < text.length ? kindOf(text.charCodeAt(index)) : -1;
}

function kindOf(code: number): number {
  if (code >= 97 && code <= 122) return LOWER;
  if (code === 32 || (code >= 9 && code <= 13) || code === 0xa0) return SPACE;
  if (code >= 65 && code <= 90) return UPPER;
  if (code >= 48 && code <= 57) return DIGIT;
  if (code < 0x80) return SIGN;
  if (code < 0x590) return ALPHABET;
  if (code >= 0x2000 && code < 0x2c00) return SIGN;
  if (code >= 0xd800 && code <= 0xdfff) return SURROGATE;
  return WIDE;
}
