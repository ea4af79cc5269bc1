/** Longer ones are no words but encoded data: PostgreSQL too leaves out what is over 2 kB. */
const MAX_TERM_LENGTH = 200;

/** A word, or words joined by signs as in `backend.auth.externalAccess`, `@scope/pkg`, `a-b_c`. */
const COMPOUND = /[\p{L}\p{M}\p{N}_]+(?:[.\-/:@#$]+[\p{L}\p{M}\p{N}_]+)*/gu;
const SIGNS = /[_.\-/:@#$]+/;
const PLAIN_WORD = /^[a-z]+$/;
const HUMP = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;
const APOSTROPHE = /['’](?=\p{L})/gu;

/**
 * English words that say nothing about what is asked, as they are after their apostrophes went. Only
 * questions are freed of them: a text is found by each of its words.
 */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a about after all also am an and any are as at be because been before being both but by can cannot cant could ' +
    'did do does doesnt doing done dont down during each either else few for from further get gets had has have having ' +
    'he her here hers him his how i if im in into is isnt it its itself just let like may me might more most must my no ' +
    'nor not of off on once one only or other our out over own please same shall she should so some such than that thats ' +
    'the their them then there these they this those through to too under until up upon us very was we were what whats ' +
    'when where whether which while who whom whose why will with within without would you your'
  ).split(' '),
);

/**
 * The terms that a text is found by, in its order and as often as they are there: every word in lower
 * case and stemmed, and of an identifier both the whole, in lower case, and its words.
 * `backend.externalAccess` gives `backend.externalaccess`, `backend`, `externalaccess`, `extern`,
 * `access`.
 */
export function tokenise(text: string): string[] {
  const terms: string[] = [];
  eachTerm(text, ({ term }) => terms.push(term));
  return terms;
}

/** The terms that say what a text is about: as `tokenise` gives them, without English stop words. */
export function contentWords(text: string): string[] {
  const terms: string[] = [];
  eachTerm(text, ({ term, isStopWord }) => {
    if (!isStopWord) {
      terms.push(term);
    }
  });
  return terms;
}

/** The distinct terms that a question looks for: its content words, or all when it has no other. */
export function queryTerms(question: string): string[] {
  const telling = contentWords(question);
  return [...new Set(telling.length > 0 ? telling : tokenise(question))];
}

interface Term {
  term: string;
  isStopWord: boolean;
}

/** Terms of the words met lately: a few thousand words make up nearly all of every text. */
const knownTerms = new Map<string, readonly Term[]>();

/** About 10 MB. */
const MAX_KNOWN_TERMS = 50_000;

/** V8 keeps the whole text alive for a part of it that is longer than this. */
const MAX_KNOWN_LENGTH = 12;

function eachTerm(text: string, take: (term: Term) => void): void {
  for (const compound of text.normalize('NFKC').replace(APOSTROPHE, '').match(COMPOUND) ?? []) {
    for (const term of knownTerms.get(compound) ?? analyse(compound)) {
      take(term);
    }
  }
}

function analyse(compound: string): readonly Term[] {
  const words = PLAIN_WORD.test(compound) ? [compound] : identifierWords(compound);
  const terms = words
    .map(word => ({ term: stem(word), isStopWord: STOP_WORDS.has(word) }))
    .filter(({ term }) => term.length <= MAX_TERM_LENGTH);
  if (compound.length <= MAX_KNOWN_LENGTH) {
    if (knownTerms.size >= MAX_KNOWN_TERMS) {
      knownTerms.clear();
    }
    knownTerms.set(compound, terms);
  }
  return terms;
}

/** The whole, what stands between its signs, and the words of each `camelCase`. */
function identifierWords(compound: string): string[] {
  const words = [compound.toLowerCase()];
  const segments = compound.split(SIGNS).filter(Boolean);
  for (const segment of segments) {
    if (segments.length > 1) {
      words.push(segment.toLowerCase());
    }
    const humps = segment.split(HUMP);
    for (const hump of humps.length > 1 ? humps : []) {
      words.push(hump.toLowerCase());
    }
  }
  return words;
}

/**
 * A light stemmer for English: brings together the forms that questions and documents differ in
 * (`migrations`, `migrating`, `migrate`), by the commonest endings of Porter's algorithm (1980). What
 * is no plain English word stays as it is.
 */
export function stem(word: string): string {
  if (word.length < 4 || !PLAIN_WORD.test(word)) {
    return word;
  }
  return withoutVowelEnd(withoutSuffix(withoutInflection(singular(word))));
}

function singular(word: string): string {
  if (/(?:ss|us|is)$/.test(word)) {
    return word;
  }
  if (/.{2}ies$/.test(word)) {
    return `${word.slice(0, -3)}y`;
  }
  return /(?:ss|x|z|ch|sh)es$/.test(word) ? word.slice(0, -2) : word.replace(/s$/, '');
}

function withoutInflection(word: string): string {
  const base = word.replace(/(?:ing|ed)$/, '');
  if (base === word || base.length < 3 || !/[aeiouy]/.test(base)) {
    return word;
  }
  // `running`, `stopped`; but `falling`, `passing`.
  return /([bdfgmnprt])\1$/.test(base) ? base.slice(0, -1) : base;
}

/** The endings that are cut off, and how many letters must be left. */
const SUFFIXES: readonly (readonly [ending: RegExp, minLength: number])[] = [
  [/(?:ational|ation|ator|ative|ate|at)$/, 3],
  [/(?<=[st])ion(?:al)?$/, 3],
  [/(?:ment|ness|able|ible|ance|ence|ity|ive)$/, 4],
  [/(?:ally|ly|al)$/, 4],
];

function withoutSuffix(word: string): string {
  for (const [ending, minLength] of SUFFIXES) {
    const base = word.replace(ending, '');
    if (base !== word && base.length >= minLength) {
      return base;
    }
  }
  return word;
}

/** `delete` and `delet(ing)`, `policy` and `polici(es)` become one. */
function withoutVowelEnd(word: string): string {
  if (word.length < 4) {
    return word;
  }
  return word.replace(/e$/, '').replace(/(?<=[^aeiou])y$/, 'i');
}
