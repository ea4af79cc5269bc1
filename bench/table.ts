import { holds, type Measurement, type Unit } from './measurement';

/** Heads of the table. */
export const COLUMNS = ['what', 'floor', 'ours', 'ratio', 'target', ''];

const FORMATS: Record<Unit, (value: number) => string> = {
  ms: value => `${value.toFixed(2)} ms`,
  s: formatSeconds,
  'per second': value => `${Math.round(value).toLocaleString('en-US')}/s`,
  share: value => value.toFixed(4),
  bytes: value => `${(value / 1e6).toFixed(1)} MB`,
  count: value => value.toLocaleString('en-US'),
};

export function formatSeconds(value: number): string {
  return `${value.toFixed(value < 0.1 ? 2 : 1)} s`;
}

/** The measurements as a table of plain text. */
export function formatTable(measurements: Measurement[]): string {
  const rows = [COLUMNS, ...measurements.map(toCells)];
  const widths = COLUMNS.map((_, column) =>
    Math.max(...rows.map(row => (row[column] as string).length)),
  );
  return rows.map(row => formatRow(row, widths)).join('\n');
}

/** One measurement, told as soon as it is known. */
export function formatLine(measurement: Measurement): string {
  const [what, floor, ours, ratio, target, verdict] = toCells(measurement);
  return [
    `${what}: ${ours}`,
    floor && `against ${floor}`,
    ratio && `ratio ${ratio}`,
    target && `target ${target}: ${verdict}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** A measurement as texts, one for each of `COLUMNS`. */
export function toCells(measurement: Measurement): string[] {
  const { what, unit, floor, ours, ratio, target } = measurement;
  const format = FORMATS[unit];
  return [
    what,
    floor === undefined ? '' : format(floor),
    format(ours),
    ratio === undefined ? '' : ratio.toFixed(2),
    target ? formatTarget(measurement) : '',
    { true: 'holds', false: 'MISSED', undefined: '' }[`${holds(measurement)}`],
  ];
}

function formatTarget({ target, unit, ratio }: Measurement): string {
  const [name, value] = Object.entries(target ?? {})[0] as [string, number];
  const text = ratio === undefined && unit !== 'share' ? FORMATS[unit](value) : String(value);
  return `${name === 'atMost' ? 'at most' : 'at least'} ${text}`;
}

function formatRow(cells: string[], widths: number[]): string {
  return cells
    .map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    })
    .join('  ')
    .trimEnd();
}
