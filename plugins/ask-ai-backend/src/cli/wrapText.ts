/**
 * Breaks prose into lines of at most `columns` characters. Paragraphs are filled anew, as Markdown
 * would; list items keep their indentation; code blocks, tables, headings and words longer than a
 * line stay as they are. With infinite `columns` nothing changes.
 */
export function wrapText(text: string, columns: number): string {
  if (!Number.isFinite(columns)) {
    return text;
  }
  return joinSoftBreaks(text.split('\n'))
    .map(({ line, isProse }) => (isProse ? wrapLine(line, columns) : line))
    .join('\n');
}

interface Line {
  line: string;
  isProse: boolean;
}

const FENCE = /^\s*(```|~~~)/;
const TABLE_OR_HEADING = /^\s*(\||#{1,6}\s)/;
const LIST_ITEM = /^\s*([-*+>]|\d+[.)])\s/;

/** A line break inside a paragraph or list item means nothing. */
function joinSoftBreaks(lines: string[]): Line[] {
  const joined: Line[] = [];
  let insideCode = false;
  for (const line of lines) {
    const isFence = FENCE.test(line);
    const isProse = !isFence && !insideCode && !TABLE_OR_HEADING.test(line);
    const before = joined.at(-1);
    if (isFence) {
      insideCode = !insideCode;
    }
    if (isProse && before?.isProse && goesOn(before.line, line)) {
      before.line = `${before.line.trimEnd()} ${line.trim()}`;
    } else {
      joined.push({ line, isProse });
    }
  }
  return joined;
}

function goesOn(before: string, line: string): boolean {
  return before.trim() !== '' && line.trim() !== '' && !LIST_ITEM.test(line);
}

function wrapLine(line: string, columns: number): string {
  if (line.length <= columns) {
    return line;
  }
  const marker = /^\s*(?:[-*+>]|\d+[.)])?\s*/.exec(line)?.[0] ?? '';
  const indent = ' '.repeat(marker.length);
  const lines: string[] = [];
  let current = marker;
  let isEmpty = true;
  for (const word of line.slice(marker.length).split(/\s+/).filter(Boolean)) {
    if (!isEmpty && current.length + 1 + word.length > columns) {
      lines.push(current);
      current = indent;
      isEmpty = true;
    }
    current += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, current].join('\n');
}
