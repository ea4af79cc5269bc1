import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Report } from '../../bench/report';
import { SUITES } from '../../bench/suites';

/**
 * The reports in a folder, in the order in which `npm run bench` tells its suites.
 *
 * @throws Error for a file that no suite wrote, is not named as its suite, or comes from a short form.
 */
export function readReports(directory: string): Report[] {
  const reports = readdirSync(directory)
    .filter(name => name.endsWith('.json'))
    .map(name => readReport(join(directory, name)));
  if (reports.length === 0) {
    throw new Error(
      `${directory} has no JSON files: npm run bench -- SUITE --json ${directory}/SUITE.json`,
    );
  }
  return SUITES.flatMap(({ name }) => reports.filter(({ suite }) => suite === name));
}

function readReport(file: string): Report {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const name = basename(file, '.json');
  if (report.suite !== name || !SUITES.some(suite => suite.name === name)) {
    throw new Error(`${file}: expected the report of a suite ${name}, got ${report.suite}`);
  }
  if (report.short) {
    throw new Error(`${file}: is of the short form, whose figures mean nothing`);
  }
  if (report.measurements.length === 0) {
    throw new Error(`${file}: holds no measurement, so the run did not get that far`);
  }
  return report;
}

/** @throws Error for a line that the suite no longer has. */
export function measurementOf({ suite, measurements }: Report, what: RegExp) {
  const found = measurements.find(measurement => what.test(measurement.what));
  if (!found) {
    throw new Error(`The report of ${suite} has no line ${what}`);
  }
  return found;
}
