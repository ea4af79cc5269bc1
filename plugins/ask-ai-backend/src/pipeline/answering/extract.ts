import type { RankedResult } from 'backstage-plugin-ask-ai-common';
import { queryTerms, tokenise } from '../../lib/text';
import { closes, splitBlocks } from './codeBlocks';

/** Sentences that an extractive answer quotes. */
const MAX_SENTENCES = 4;

/** Longest quotation of one source, in characters. */
const MAX_QUOTE = 600;

/** A sentence whose score is below this share of the best one's adds nothing. */
const MIN_SHARE_OF_BEST = 0.5;

interface Sentence {
  text: string;
  /** Position of its source, from 0. */
  source: number;
  /** Position in its source. */
  position: number;
  score: number;
}

/**
 * An answer without a language model: the sentences that hold most of the question's words, quoted
 * in the order of their sources, each with the number of its source.
 */
export function extractAnswer(question: string, hits: RankedResult[]): string {
  const words = new Set(queryTerms(question));
  const sentences = hits.flatMap((hit, source) =>
    splitSentences(hit.documentChunk.content).map((text, position) => ({
      text,
      source,
      position,
      score: scoreSentence(text, words, hit, source),
    })),
  );
  const best = Math.max(0, ...sentences.map(({ score }) => score));
  const chosen = sentences
    .filter(({ score }) => score > 0 && score >= MIN_SHARE_OF_BEST * best)
    .sort((a, b) => b.score - a.score)
    .slice(0, MAX_SENTENCES);
  const quoted = chosen.length > 0 ? chosen : sentences.slice(0, 1);
  return quoteBySource(quoted);
}

function quoteBySource(sentences: Sentence[]): string {
  const sources = [...new Set(sentences.map(({ source }) => source))].sort((a, b) => a - b);
  return sources
    .map(source => {
      const own = sentences.filter(sentence => sentence.source === source);
      own.sort((a, b) => a.position - b.position);
      const isFlowing = own.every(({ text }) => !text.includes('\n'));
      const quote = own.map(({ text }) => text).join(isFlowing ? ' ' : '\n\n');
      return `${quote}${endsInBlock(quote) ? '\n\n' : ' '}[${source + 1}]`;
    })
    .join('\n\n');
}

/** After a fence or in a row of a table, a citation would be a part of it. */
function endsInBlock(quote: string): boolean {
  const lastLine = quote.slice(quote.lastIndexOf('\n') + 1);
  return /^[\s>]*(?:`{3}|~{3})/.test(lastLine) || lastLine.includes('|');
}

/** Words of the question count once; better sources and titles that answer break ties. */
function scoreSentence(
  sentence: string,
  words: Set<string>,
  { documentChunk }: RankedResult,
  source: number,
): number {
  const held = new Set(tokenise(sentence));
  const title = new Set(tokenise(documentChunk.metadata.title ?? ''));
  let score = 0;
  for (const word of words) {
    score += held.has(word) ? 1 : title.has(word) ? 0.5 : 0;
  }
  return score / (1 + 0.15 * source);
}

/** Sentences and, whole, code blocks, tables and list items. */
function splitSentences(content: string): string[] {
  return splitBlocks(content)
    .flatMap(block =>
      block.fence === undefined
        ? splitProse(block.text).map(text => withoutCitations(cut(text)))
        : [cutCode(block.text, block.fence)],
    )
    .filter(sentence => /[\p{L}\p{N}]/u.test(sentence));
}

/** Whole lines where there are several: half a row is no row. */
function cut(text: string): string {
  const trimmed = text.trim();
  if (trimmed.length <= MAX_QUOTE) {
    return trimmed;
  }
  const start = trimmed.slice(0, MAX_QUOTE).toWellFormed();
  const end = start.lastIndexOf('\n');
  return end > 0 ? start.slice(0, end) : start;
}

/** A block that is cut, or has no end, ends all the same. */
function cutCode(block: string, fence: string): string {
  const code = cut(block);
  const lastLine = code.slice(code.lastIndexOf('\n') + 1);
  return closes(lastLine, fence) ? code : `${code}\n${fence}`;
}

/** `[2]` of a text would name the second source of the answer; in code it stays. */
function withoutCitations(text: string): string {
  return text.replace(
    /(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)|(?<=^|\s)\[(?=[^\]]*\d)([\d\s,;–-]+)\](?!\()/g,
    (whole, _run, numbers?: string) => (numbers === undefined ? whole : `(${numbers})`),
  );
}

/** Where a line of prose was broken: the next one goes on with the sentence, and is no key of YAML. */
const SOFT_BREAK = /(?<=[^\s|])\n(?=[\p{Ll}`("'])(?![\w.-]+:)/gu;

function splitProse(text: string): string[] {
  return text
    .split(/\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.)\s)/)
    .flatMap(block =>
      block.includes('|')
        ? [block]
        : block.replace(SOFT_BREAK, ' ').split(/(?<=[.!?:])\s+(?=["'`(\p{Lu}])/u),
    );
}
