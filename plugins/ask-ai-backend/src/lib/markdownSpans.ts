import { ESCAPED_CHARACTER } from './markdownEscapes';

/** A text whose literal parts were taken out, so that patterns for markup can't match inside them. */
export interface ProtectedText {
  /** Every literal part is one mark. */
  text: string;
  /** Puts the literal parts back. */
  restore(text: string): string;
}

/** Marks that no text holds: control characters are removed from what is indexed. */
const MARK_START = '\u0001';
const MARK_END = '\u0002';
const MARK = new RegExp(`${MARK_START}(\\d+)${MARK_END}`, 'g');
const MARK_CHARACTERS = new RegExp(`[${MARK_START}${MARK_END}]`, 'g');

/** What decides, from left to right: an escape, a run of backticks, or something to leave out. */
const OPENING = new RegExp(`${ESCAPED_CHARACTER.source}|\`+|<!--|<script\\b|<style\\b`, 'gi');

/** What ends the parts of a text that say nothing to a reader. */
const CLOSINGS: Record<string, string> = {
  '<!--': '-->',
  '<script': '</script>',
  '<style': '</style>',
};

/**
 * Takes code spans and escaped characters out of prose, and drops comments, scripts and styles. One
 * pass from left to right, as whatever begins first decides what the rest means.
 */
export function protectLiterals(prose: string): ProtectedText {
  const source = prose.replace(MARK_CHARACTERS, '');
  const literals: string[] = [];
  const mark = (literal: string) => `${MARK_START}${literals.push(literal) - 1}${MARK_END}`;
  const codeSpanEnd = codeSpanEnds(source);
  const closing = closings(source);
  let text = '';
  let position = 0;
  OPENING.lastIndex = 0;
  for (let match = OPENING.exec(source); match; match = OPENING.exec(source)) {
    const [opening, escaped] = match;
    const start = match.index;
    let end = start + opening.length;
    let replacement = opening;
    if (escaped !== undefined) {
      replacement = mark(escaped);
    } else if (opening.startsWith('`')) {
      end = codeSpanEnd(start, opening.length) ?? end;
      replacement = mark(source.slice(start, end));
    } else {
      const closingEnd = closing(opening.toLowerCase(), end);
      end = closingEnd ?? end;
      replacement = closingEnd === undefined ? opening : ' ';
    }
    text += source.slice(position, start) + replacement;
    position = end;
    OPENING.lastIndex = end;
  }
  text += source.slice(position);
  return {
    text,
    restore: cleaned => cleaned.replace(MARK, (_, index) => literals[Number(index)] ?? ''),
  };
}

/**
 * Finds where a code span ends: at the next run of as many backticks in the same paragraph. Every run
 * is looked at once per length, so that many unclosed ones stay cheap.
 */
function codeSpanEnds(source: string): (start: number, length: number) => number | undefined {
  const runs = new Map<number, number[]>();
  for (const { 0: run, index } of source.matchAll(/`+/g)) {
    const starts = runs.get(run.length) ?? [];
    starts.push(index);
    runs.set(run.length, starts);
  }
  const breaks = [...source.matchAll(/\n[ \t]*\n/g)].map(({ index }) => index);
  const nextRun = new Map<number, number>();
  let nextBreak = 0;
  return (start, length) => {
    const starts = runs.get(length) ?? [];
    let candidate = nextRun.get(length) ?? 0;
    while (candidate < starts.length && (starts[candidate] ?? 0) <= start) candidate++;
    nextRun.set(length, candidate);
    while (nextBreak < breaks.length && (breaks[nextBreak] ?? 0) < start) nextBreak++;
    const end = starts[candidate];
    const paragraphEnd = breaks[nextBreak] ?? source.length;
    return end !== undefined && end < paragraphEnd ? end + length : undefined;
  };
}

/** Finds the end of what an opening begins; one that is missing once is not searched again. */
function closings(source: string): (opening: string, from: number) => number | undefined {
  const lowerCase = source.toLowerCase();
  const missing = new Set<string>();
  return (opening, from) => {
    const closing = CLOSINGS[opening];
    if (closing === undefined || missing.has(opening)) {
      return undefined;
    }
    const start = lowerCase.indexOf(closing, from);
    if (start < 0) {
      missing.add(opening);
      return undefined;
    }
    return start + closing.length;
  };
}
