import { type Atom, costAfter, render } from './atoms';
import { splitProse } from './splitProse';

/** Tokens of a chunk, and how many of them the next one repeats. */
export interface PackOptions {
  chunkSize: number;
  chunkOverlap: number;
}

/**
 * Joins neighbouring atoms to texts of at most `chunkSize` tokens, and of about equal size: a tail of
 * a few words says too little to be found. Every text but the first begins with the end of the one
 * before, up to `chunkOverlap` tokens, where that is prose or lines of a block that was split.
 */
export function packAtoms(atoms: Atom[], { chunkSize, chunkOverlap }: PackOptions): string[] {
  const target = balancedSize(atoms, { chunkSize, chunkOverlap });
  const texts: string[] = [];
  let current: Atom[] = [];
  let tokens = 0;
  let repeated = 0;
  for (const atom of atoms) {
    const isFull = tokens >= target || tokens + costAfter(current.at(-1), atom) > chunkSize;
    if (isFull && current.length > repeated) {
      texts.push(render(current));
      current = endOf(current, Math.min(chunkOverlap, chunkSize - mostCostOf(atom)));
      repeated = current.length;
      tokens = costOf(current);
    }
    tokens += costAfter(current.at(-1), atom);
    current.push(atom);
  }
  if (current.length > repeated) {
    texts.push(render(current));
  }
  return texts;
}

/** Tokens at which a chunk is closed, so that the last one is about as long as the others. */
function balancedSize(atoms: Atom[], { chunkSize, chunkOverlap }: PackOptions): number {
  const total = costOf(atoms);
  if (total <= chunkSize) {
    return chunkSize;
  }
  const count = Math.ceil(total / (chunkSize - chunkOverlap));
  return Math.ceil(total / count) + chunkOverlap;
}

function costOf(atoms: Atom[]): number {
  return atoms.reduce((sum, atom, index) => sum + costAfter(atoms[index - 1], atom), 0);
}

/** What an atom adds at most, whatever stands before it. */
function mostCostOf(atom: Atom): number {
  return 1 + costAfter(undefined, atom);
}

/** The last atoms, or sentences of the last atom, that have at most `limit` tokens together. */
function endOf(atoms: Atom[], limit: number): Atom[] {
  let start = atoms.length;
  let tokens = 0;
  while (start > 0) {
    const atom = atoms[start - 1];
    const next = atoms[start];
    if (atom === undefined || atom.isWhole) {
      break;
    }
    // `next` is no longer the first.
    const change = next ? costAfter(atom, next) - costAfter(undefined, next) : 0;
    tokens += change + costAfter(undefined, atom);
    if (tokens > limit) {
      return next === undefined && !atom.frame
        ? endOfProse(atom, limit)
        : fromWordStart(atoms, start);
    }
    start--;
  }
  return fromWordStart(atoms, start);
}

function fromWordStart(atoms: Atom[], start: number): Atom[] {
  const first = atoms.findIndex((atom, index) => index >= start && !atom.isInsideWord);
  return first < 0 ? [] : atoms.slice(first);
}

function endOfProse(atom: Atom, limit: number): Atom[] {
  const pieces = limit > 0 ? splitProse(atom.text, limit) : [];
  return pieces.length > 1 ? endOf(pieces, limit) : [];
}
