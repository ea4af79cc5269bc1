import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { benchmarksDocument } from './document';
import { drawRatios } from './ratioPlot';
import { readReports } from './readReports';
import { drawRecall } from './recallPlot';
import { replaceComparison } from './storeComparison';

/** Root of the repository. */
export const root = resolve(__dirname, '../..');

/** Where the reports of the documents lie. */
export const RESULTS = join(root, 'bench/results');

/** The files that are made of the reports in a folder, by their paths in the repository. */
export function benchmarkFiles(directory: string): Record<string, string> {
  const reports = readReports(directory);
  return {
    'docs/BENCHMARKS.md': benchmarksDocument(reports),
    'docs/images/benchmarks-ratio.svg': drawRatios(reports),
    'docs/images/benchmarks-recall.svg': drawRecall(reports),
    'README.md': replaceComparison(readFileSync(join(root, 'README.md'), 'utf8'), reports),
  };
}
