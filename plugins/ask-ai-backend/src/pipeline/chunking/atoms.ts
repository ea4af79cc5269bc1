import { estimateTokens } from '../../lib/tokens';

/** What stands around atoms of a block that was split: the marks of a fence, the head of a table. */
export interface Frame {
  /** Empty, or ends before the line break. */
  open: string;
  close: string;
  /** Of both, with their line breaks. */
  tokens: number;
}

/** The smallest piece that the packer moves. */
export interface Atom {
  text: string;
  tokens: number;
  /** Stands between this atom and the one before, unless a chunk or a frame begins here. */
  glue: '\n\n' | '\n' | ' ' | '';
  /** The same object for all atoms of a block. */
  frame?: Frame;
  /** A whole code block or table: no part of it is repeated as overlap. */
  isWhole?: boolean;
  /** Begins within a word that is longer than a chunk: no overlap begins here. */
  isInsideWord?: boolean;
}

export function atomOf(text: string, glue: Atom['glue']): Atom {
  return { text, tokens: estimateTokens(text), glue };
}

/** Upper limit of what an atom adds to a chunk that ends with `previous`. */
export function costAfter(previous: Atom | undefined, atom: Atom): number {
  if (previous === undefined) {
    return atom.tokens + (atom.frame?.tokens ?? 0);
  }
  if (previous.frame !== atom.frame) {
    // A blank line, whatever the glue.
    return 1 + atom.tokens + (atom.frame?.tokens ?? 0);
  }
  return atom.tokens + (atom.glue.startsWith('\n') ? 1 : 0);
}

/** The text of neighbouring atoms. */
export function render(atoms: Atom[]): string {
  let text = '';
  let frame: Frame | undefined;
  atoms.forEach((atom, index) => {
    if (atom.frame !== frame) {
      text += closing(frame) + (index > 0 ? '\n\n' : '') + opening(atom.frame);
      frame = atom.frame;
    } else if (index > 0) {
      text += atom.glue;
    }
    text += atom.text;
  });
  return text + closing(frame);
}

function opening(frame: Frame | undefined): string {
  return frame?.open ? `${frame.open}\n` : '';
}

function closing(frame: Frame | undefined): string {
  return frame?.close ? `\n${frame.close}` : '';
}
