const LEAST_WIDTH = 3;

/** A table as the formatter wants it: the first column left-aligned, the others right-aligned. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(LEAST_WIDTH, ...rows.map(row => (row[column] ?? '').length)),
  );
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  const [head = [], ...body] = rows.map(row =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    }),
  );
  return [head, rule, ...body].map(cells => `| ${cells.join(' | ')} |`).join('\n');
}
