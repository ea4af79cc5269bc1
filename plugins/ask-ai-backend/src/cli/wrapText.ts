/**
 * Breaks prose into lines of at most `columns` characters. Markdown's lists keep their indentation;
 * code blocks, tables and words longer than a line stay as they are.
 */
export function wrapText(text: string, columns: number): string {
  let insideCode = false;
  return text
    .split('\n')
    .map(line => {
      if (/^\s*(```|~~~)/.test(line)) {
        insideCode = !insideCode;
        return line;
      }
      return insideCode || line.startsWith('|') ? line : wrapLine(line, columns);
    })
    .join('\n');
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
