/** What a suite found: a row a measurement. */
export interface Measurement {
  what: string;
  floor?: string;
  ours: string;
  /** ours / floor. */
  ratio?: number;
  /** What must hold, for the reader; nothing fails on a timing. */
  target?: string;
}

const COLUMNS = ['what', 'floor', 'ours', 'ratio', 'target'] as const;

/** The measurements as a table of plain text. */
export function formatTable(title: string, measurements: Measurement[]): string {
  const cells = measurements.map(({ what, floor, ours, ratio, target }) => [
    what,
    floor ?? '',
    ours,
    ratio === undefined ? '' : ratio.toFixed(2),
    target ?? '',
  ]);
  const rows = [[...COLUMNS], ...cells];
  const widths = COLUMNS.map((_, column) =>
    Math.max(...rows.map(row => (row[column] as string).length)),
  );
  const lines = rows.map(row =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return [title, ...lines].join('\n');
}

export function milliseconds(value: number): string {
  return `${value.toFixed(2)} ms`;
}

export function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString('en-US')}/s`;
}
