import type { Terminal } from './terminal';

/** A name and what belongs to it. */
export type Row = readonly [name: string, text: string];

/** Wide enough for most names, so that tables of several commands look alike. */
const NARROWEST_NAME = 8;

/** Lines with the names in a column of their own. */
export function formatRows(rows: readonly Row[], terminal: Terminal): string[] {
  const width = Math.max(NARROWEST_NAME, ...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${terminal.style('bold', name.padEnd(width))}  ${text}`);
}
