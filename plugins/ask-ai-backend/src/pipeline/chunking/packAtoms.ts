import { type Atom, costAfter, render } from './atoms';
import { splitProse } from './splitProse';

/** Tokens of a chunk, and how many of them the next one repeats. */
export interface PackOptions {
  chunkSize: number;
  chunkOverlap: number;
}

/** A share of a chunk. A group below it says too little to be found, so it joins the one before. */
const SMALLEST_GROUP = 1 / 4;

/**
 * Joins neighbouring atoms to texts of at most `chunkSize` tokens, and of about equal size. Every text
 * but the first begins with the end of the one before, up to `chunkOverlap` tokens, as far as there is
 * room and that is prose or lines of a block that was split.
 */
export function packAtoms(atoms: Atom[], options: PackOptions): string[] {
  const groups = joinSmall(groupAtoms(atoms, options), options.chunkSize);
  return groups.map((group, index) => {
    const room = options.chunkSize - costOf(group) - 1;
    const repeated = endOf(groups[index - 1] ?? [], Math.min(options.chunkOverlap, room));
    return withoutBlankEnds(render([...repeated, ...group]));
  });
}

/** Groups that leave room for the overlap, unless a whole block needs it. */
function groupAtoms(atoms: Atom[], { chunkSize, chunkOverlap }: PackOptions): Atom[][] {
  const total = costOf(atoms);
  const target =
    total <= chunkSize ? chunkSize : total / Math.ceil(total / (chunkSize - chunkOverlap));
  const groups: Atom[][] = [];
  let group: Atom[] = [];
  let tokens = 0;
  for (const atom of atoms) {
    if (
      group.length > 0 &&
      (tokens >= target || tokens + costAfter(group.at(-1), atom) > chunkSize)
    ) {
      groups.push(group);
      group = [];
      tokens = 0;
    }
    tokens += costAfter(group.at(-1), atom);
    group.push(atom);
  }
  return group.length > 0 ? [...groups, group] : groups;
}

function joinSmall(groups: Atom[][], chunkSize: number): Atom[][] {
  const joined: Atom[][] = [];
  for (const group of groups) {
    const previous = joined.at(-1);
    const both = [...(previous ?? []), ...group];
    if (previous && costOf(group) < chunkSize * SMALLEST_GROUP && costOf(both) <= chunkSize) {
      joined[joined.length - 1] = both;
    } else {
      joined.push(group);
    }
  }
  return joined;
}

function costOf(atoms: Atom[]): number {
  return atoms.reduce((sum, atom, index) => sum + costAfter(atoms[index - 1], atom), 0);
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

/** Blank lines of code that was cut; the indentation of the first line stays. */
function withoutBlankEnds(text: string): string {
  return text.replace(/^(?:[ \t]*\n)+/, '').trimEnd();
}
