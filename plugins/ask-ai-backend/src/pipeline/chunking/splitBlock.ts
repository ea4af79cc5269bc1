import { type MarkdownBlock, parseBlocks, splitListItems } from '../../lib/markdown';
import { estimateTokens } from '../../lib/tokens';
import { type Atom, atomOf, type Frame } from './atoms';
import { splitProse } from './splitProse';

/** Deeper lists are cut as prose: their items are rarely longer than a sentence. */
const DEEPEST_LIST = 4;

/** A frame may take this share of a chunk; the rest is for what it frames. */
const LARGEST_FRAME = 1 / 3;

const LIST_MARK = /^[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]+|$)/;

const FENCE = /^[ \t]*(`{3,}|~{3,})(.*)$/;

/**
 * A block as atoms of at most `limit` tokens with their frame. What fits is one atom; else a list is
 * cut at its items, code and tables at their lines, and prose at its sentences.
 */
export function splitBlock(block: MarkdownBlock, limit: number, depth = 0): Atom[] {
  const whole = atomOf(block.text, '\n\n');
  if (whole.tokens <= limit) {
    return [{ ...whole, isWhole: block.kind === 'code' || block.kind === 'table' }];
  }
  switch (block.kind) {
    case 'code':
      return splitCode(block.text, limit);
    case 'table':
      return splitTable(block.text, limit);
    case 'list':
      return depth < DEEPEST_LIST
        ? splitList(block.text, limit, depth)
        : splitProse(block.text, limit);
    default:
      return splitProse(block.text, limit);
  }
}

function splitCode(code: string, limit: number): Atom[] {
  const lines = code.split('\n');
  const [, mark, info = ''] = FENCE.exec(lines[0] ?? '') ?? [];
  if (mark === undefined) {
    return splitLines(lines, limit);
  }
  const isClosed = lines.length > 1 && (lines.at(-1) ?? '').trim().startsWith(mark);
  const inner = lines.slice(1, isClosed ? -1 : undefined);
  const frame = frameOf(`${mark}${info}`.trimEnd(), mark, limit);
  return frame
    ? splitLines(inner, limit, frame)
    : splitLines([info.trim(), ...inner], limit, frameOf(mark, mark, limit));
}

function splitTable(table: string, limit: number): Atom[] {
  const lines = table.split('\n');
  const frame = frameOf(lines.slice(0, 2).join('\n'), '', limit);
  return splitLines(frame ? lines.slice(2) : lines, limit, frame);
}

function splitList(list: string, limit: number, depth: number): Atom[] {
  return splitListItems(list).flatMap(item => {
    const whole = atomOf(item, '\n');
    return whole.tokens <= limit ? [whole] : splitItem(item, limit, depth);
  });
}

/** The blocks inside an item, without its indentation. */
function splitItem(item: string, limit: number, depth: number): Atom[] {
  const mark = LIST_MARK.exec(item)?.[0] ?? '';
  const [first = '', ...rest] = item.split('\n');
  const content = [
    first.slice(mark.length),
    ...rest.map(line => withoutIndentation(line, mark.length)),
  ];
  const atoms = parseBlocks(content.join('\n')).flatMap(block =>
    splitBlock(block, limit, depth + 1),
  );
  // Without this, a list of one huge item would be cut as if it were no list at all.
  return atoms.map((atom, index) => (index === 0 && !atom.frame ? { ...atom, glue: '\n' } : atom));
}

function withoutIndentation(line: string, width: number): string {
  return line.slice(Math.min(width, line.length - line.trimStart().length));
}

function splitLines(lines: string[], limit: number, frame?: Frame): Atom[] {
  const available = limit - (frame?.tokens ?? 0);
  return lines.flatMap((line, index) => {
    const glue = index === 0 ? '\n\n' : '\n';
    const whole: Atom = { ...atomOf(line.trimEnd(), glue), frame };
    return whole.tokens <= available
      ? [whole]
      : splitProse(line, available, glue).map(atom => ({ ...atom, frame }));
  });
}

/** `undefined` when too little of a chunk would be left. */
function frameOf(open: string, close: string, limit: number): Frame | undefined {
  const tokens = estimateTokens(`${open}\n\n${close}`) + 1;
  return tokens <= limit * LARGEST_FRAME ? { open, close, tokens } : undefined;
}
