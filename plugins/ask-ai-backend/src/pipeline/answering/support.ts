import type { RankedResult } from 'backstage-plugin-ask-ai-common';
import { contentWords, queryTerms, tokenise } from '../../lib/text';

/** Share of the question's words that one passage must hold to count as support: more than half. */
const MIN_COVERAGE = 0.55;

/**
 * The hits that a truthful answer could stand on; none means "not found". By words alone, that takes one
 * passage with most of the question's words, and every name of the question in some passage: who asks for
 * MySQL is not answered by what is said of PostgreSQL, however much else fits.
 *
 * @param minSimilarity - from which a passage counts as support although it uses other words; left out
 * for an embedding that does not know meanings.
 */
export function supportingHits(
  question: string,
  hits: RankedResult[],
  { minSimilarity }: { minSimilarity?: number },
): RankedResult[] {
  const knowsMeaning = minSimilarity !== undefined;
  if (knowsMeaning && hits.some(({ similarity }) => similarity >= minSimilarity)) {
    return hits;
  }
  const words = new Set(queryTerms(question));
  const isCovered = hits.some(hit => coverage(words, hit) >= MIN_COVERAGE);
  return isCovered && (knowsMeaning || holdNames(question, hits)) ? hits : [];
}

/** Share of the words that a hit's text, title or entity name holds, from 0 to 1. */
export function coverage(words: Set<string>, hit: RankedResult): number {
  if (words.size === 0) {
    return 0;
  }
  const held = wordsOf(hit);
  let covered = 0;
  for (const word of words) {
    covered += held.has(word) ? 1 : 0;
  }
  return covered / words.size;
}

/** Whether every name of the question, or each of its parts, is in one of the passages or another. */
function holdNames(question: string, hits: RankedResult[]): boolean {
  const names = namesIn(question);
  const held = new Set(names.length > 0 ? hits.flatMap(hit => [...wordsOf(hit)]) : []);
  return names.every(name => {
    const [whole = '', ...parts] = tokenise(name);
    return held.has(whole) || (parts.length > 0 && parts.every(part => held.has(part)));
  });
}

const TOKEN = /[\p{L}\p{N}_]+(?:[.\-/:@#$]+[\p{L}\p{N}_]+)*/gu;
const CAPITAL = /^\p{Lu}/u;
const SENTENCE_END = /[.!?]\s/;
/** `PagerDuty`, `mysql2`, `ERR_MODULE_NOT_FOUND`. */
const UNLIKE_A_WORD = /\p{Ll}\p{Lu}|\p{L}\d|\p{L}_\p{L}/u;

/**
 * What is written like a name: with a capital within a sentence, or with capitals, digits or underscores
 * within the word. Where most words have capitals, as in titles and in German, these say nothing.
 */
function namesIn(question: string): string[] {
  const tokens = tokensOf(question).filter(({ text }) => contentWords(text).length > 0);
  const hasCapital = new Set(tokens.filter(({ text, isFirst }) => !isFirst && CAPITAL.test(text)));
  const capitalsTell = 2 * hasCapital.size <= tokens.length;
  return tokens
    .filter(token => UNLIKE_A_WORD.test(token.text) || (capitalsTell && hasCapital.has(token)))
    .map(({ text }) => text);
}

/** The tokens in order, and whether each begins a sentence, which what stands before it tells. */
function tokensOf(question: string): { text: string; isFirst: boolean }[] {
  let end = 0;
  return [...question.matchAll(TOKEN)].map(({ 0: text, index }) => {
    const isFirst = end === 0 || SENTENCE_END.test(question.slice(end, index));
    end = index + text.length;
    return { text, isFirst };
  });
}

function wordsOf({ documentChunk }: RankedResult): Set<string> {
  const { entityName, entityId, content, metadata } = documentChunk;
  return new Set(tokenise(`${entityName} ${entityId} ${metadata.title ?? ''} ${content}`));
}
