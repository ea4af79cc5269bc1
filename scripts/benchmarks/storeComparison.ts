import type { Report } from '../../bench/report';
import { formatSeconds } from '../../bench/table';
import { markdownTable } from '../lib/markdownTable';
import { measurementOf } from './readReports';

const START = '<!-- figures of npm run benchmarks -->';
const END = '<!-- end of figures -->';

const STORES = ['memory', 'embedded', 'postgresql'];

/**
 * The README with the figures of its comparison replaced by those of the reports.
 *
 * @throws Error when a report or one of the marks around the figures is missing.
 */
export function replaceComparison(readme: string, reports: readonly Report[]): string {
  const [start, end] = [readme.indexOf(START), readme.indexOf(END)];
  if (start < 0 || end < start) {
    throw new Error(`README.md: expected figures between ${START} and ${END}`);
  }
  return `${readme.slice(0, start)}${START}\n\n${comparison(reports)}\n\n${readme.slice(end)}`;
}

function comparison(reports: readonly Report[]): string {
  const stores = reportOf(reports, 'stores');
  const [memory, recall, scale] = ['memory', 'recall', 'scale'].map(suite =>
    reportOf(reports, suite),
  ) as [Report, Report, Report];
  return markdownTable([
    ['', ...STORES.map(store => `\`${store}\``)],
    [
      `load of ${count(stores)} passages`,
      ...STORES.map(store => seconds(stores, new RegExp(`^${store}: load$`))),
    ],
    [
      'ready after a restart',
      'indexed anew',
      ...STORES.slice(1).map(store => seconds(stores, new RegExp(`^${store}: opened again$`))),
    ],
    [
      `search, ${count(stores)} passages`,
      ...STORES.map(store => milliseconds(stores, new RegExp(`^${store}: search, k.*p50$`))),
    ],
    [
      `search, ${count(memory)} passages`,
      milliseconds(memory, /^exact search.*p50$/),
      '',
      milliseconds(sameSize(recall, memory), /^full precision: p50$/),
    ],
    ...['full', 'half'].map(precision => [
      `search, ${count(scale)} passages, ${precision} precision`,
      '',
      '',
      milliseconds(scale, new RegExp(`^${precision} precision: p50$`)),
    ]),
  ]);
}

function reportOf(reports: readonly Report[], suite: string): Report {
  const report = reports.find(candidate => candidate.suite === suite);
  if (!report) {
    throw new Error(`No report of the suite ${suite}, whose figures the README tells`);
  }
  return report;
}

/** Figures in one line of the table are of one size. */
function sameSize(report: Report, other: Report): Report {
  if (report.rows !== other.rows) {
    throw new Error(
      `The suites ${report.suite} and ${other.suite} must have equally many rows, got ${report.rows} and ${other.rows}`,
    );
  }
  return report;
}

function count({ rows }: Report): string {
  return rows.toLocaleString('en-US');
}

function seconds(report: Report, what: RegExp): string {
  return formatSeconds(measurementOf(report, what).ours);
}

function milliseconds(report: Report, what: RegExp): string {
  return `${measurementOf(report, what).ours.toFixed(1)} ms`;
}
