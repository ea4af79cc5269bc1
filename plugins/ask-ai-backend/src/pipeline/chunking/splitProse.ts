import { MOST_TOKENS_PER_CHARACTER } from '../../lib/tokens';
import { type Atom, atomOf } from './atoms';

/**
 * Where prose may be cut, best first: after a sentence; after what may be one, or at a line break;
 * between words. The last of them leaves single words.
 */
const BORDERS = [
  /(?<=[.!?…]["')\]`*_]{0,3})\s+(?=["'([`*_]{0,3}[\p{Lu}\p{N}])|(?<=[。！？])/gu,
  /(?<=[.!?:;,…]["')\]`*_]{0,3})\s+|\n\s*|(?<=[、，；：])/gu,
  /\s+/gu,
];

/**
 * Cuts prose into atoms of at most `limit` tokens, at the best borders that allow it. Words that are
 * longer are cut into pieces. Joined with their glue, the atoms are the text again, with runs of white
 * space as one.
 */
export function splitProse(text: string, limit: number, glue: Atom['glue'] = '\n\n'): Atom[] {
  return split(text.trim(), limit, glue, 0);
}

function split(text: string, limit: number, glue: Atom['glue'], level: number): Atom[] {
  const border = BORDERS[level];
  if (border === undefined) {
    return cutWord(text, limit, glue);
  }
  return cutAt(text, border, glue).flatMap(atom =>
    atom.tokens <= limit ? [atom] : split(atom.text, limit, atom.glue, level + 1),
  );
}

function cutAt(text: string, border: RegExp, glue: Atom['glue']): Atom[] {
  const atoms: Atom[] = [];
  let start = 0;
  let glueBefore = glue;
  for (const { 0: space, index } of text.matchAll(border)) {
    if (index > start) {
      atoms.push(atomOf(text.slice(start, index).trimEnd(), glueBefore));
    }
    start = index + space.length;
    glueBefore = space === '' ? '' : space.includes('\n') ? '\n' : ' ';
  }
  if (start < text.length) {
    atoms.push(atomOf(text.slice(start), glueBefore));
  }
  return atoms;
}

/** Pieces short enough for any script, so that they need not be measured; the packer joins them. */
function cutWord(word: string, limit: number, glue: Atom['glue']): Atom[] {
  const length = Math.max(2, Math.floor(limit / MOST_TOKENS_PER_CHARACTER));
  const atoms: Atom[] = [];
  let start = 0;
  while (start < word.length) {
    const end = endOfPiece(word, start + length);
    const piece = word.slice(start, end);
    atoms.push(start === 0 ? atomOf(piece, glue) : { ...atomOf(piece, ''), isInsideWord: true });
    start = end;
  }
  return atoms;
}

/** One less where the cut would go through a surrogate pair. */
function endOfPiece(word: string, end: number): number {
  const last = word.charCodeAt(end - 1);
  return end < word.length && last >= 0xd800 && last <= 0xdbff
    ? end - 1
    : Math.min(end, word.length);
}
