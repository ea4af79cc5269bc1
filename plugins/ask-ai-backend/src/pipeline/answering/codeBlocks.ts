/** A part of a Markdown text; `fence` is what ends a block of code, with what stands before it. */
export interface TextBlock {
  text: string;
  fence?: string;
}

/** A fence behind quotations and list items; what follows backticks on its line has none. */
const OPENING = /^([ \t]*)((?:(?:>|[-*+]|\d{1,9}[.)])[ \t]+)*)(`{3,}(?=[^`]*$)|~{3,})/;

/**
 * Divides a Markdown text into what is no code and, each for itself, its fenced blocks of code, which
 * lose the indentation of their fence. A block ends by a fence that is at least as long as its first.
 */
export function splitBlocks(content: string): TextBlock[] {
  const blocks: { lines: string[]; fence?: string }[] = [];
  let open: { fence: string; indent: number } | undefined;
  for (const line of content.split('\n')) {
    const [, indent = '', lead = '', run] = OPENING.exec(open ? '' : line) ?? [];
    const isOpening = run !== undefined;
    if (isOpening) {
      open = { fence: `${lead.replace(/[^>\s]/g, ' ')}${run}`, indent: indent.length };
    }
    const last = blocks.at(-1);
    if (!last || isOpening || (!open && last.fence !== undefined)) {
      blocks.push({ lines: [], fence: open?.fence });
    }
    blocks.at(-1)?.lines.push(open ? dedent(line, open.indent) : line);
    if (open && !isOpening && closes(line, open.fence)) {
      open = undefined;
    }
  }
  return blocks.map(({ lines, fence }) => ({ text: lines.join('\n'), fence }));
}

/** Whether a line ends a block with this fence. */
export function closes(line: string, fence: string): boolean {
  const [run = ''] = /(?<=^[\s>]*)(?:`{3,}|~{3,})(?=\s*$)/.exec(line) ?? [];
  return run !== '' && run.startsWith(fence.replace(/[\s>]/g, ''));
}

function dedent(line: string, indent: number): string {
  const own = /^[ \t]*/.exec(line)?.[0].length ?? 0;
  return line.slice(Math.min(indent, own));
}
