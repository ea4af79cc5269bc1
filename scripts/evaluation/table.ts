/** Rows as aligned columns: the first to the left, numbers to the right. */
export function formatTable(header: readonly string[], rows: readonly string[][]): string {
  const lines = [[...header], ...rows];
  const widths = header.map((_, column) =>
    Math.max(...lines.map(line => line[column]?.length ?? 0)),
  );
  return lines
    .map(line =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
