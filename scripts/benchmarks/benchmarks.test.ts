import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Report } from '../../bench/report';
import { benchmarksDocument } from './document';
import { benchmarkFiles, RESULTS, root } from './files';
import { drawRatios } from './ratioPlot';
import { readReports } from './readReports';
import { drawRecall } from './recallPlot';
import { replaceComparison } from './storeComparison';

const folder = mkdtempSync(join(tmpdir(), 'ask-ai-benchmarks-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const reports = readReports(RESULTS);

/** A report of bench/results, changed. */
function reportOf(suite: string, changes: Partial<Report> = {}): Report {
  const report = reports.find(candidate => candidate.suite === suite);
  return { ...(report as Report), ...changes };
}

function write(name: string, content: unknown): void {
  writeFileSync(join(folder, name), JSON.stringify(content));
}

describe('what npm run benchmarks makes of bench/results', () => {
  it.each(Object.entries(benchmarkFiles(RESULTS)))('is what is there: %s', (path, text) => {
    // Otherwise: npm run benchmarks.
    expect(readFileSync(join(root, path), 'utf8')).toBe(text);
  });
});

describe('benchmarksDocument', () => {
  it('tells each line, its target and whether it is missed, of what machine and how to repeat it', () => {
    const text = benchmarksDocument([
      reportOf('filter', {
        rows: 500,
        date: '2026-01-02T03:04:05.678Z',
        cpu: 'Abacus',
        measurements: [
          { what: 'p50', unit: 'ms', floor: 1, ours: 2, ratio: 2, target: { atMost: 1.25 } },
          { what: 'hits', unit: 'count', ours: 10 },
        ],
      }),
    ]);
    expect(text).toMatch(
      /\| p50 +\| +1\.00 ms \| +2\.00 ms \| +2\.00 \| +at most 1\.25 \| +MISSED \|/,
    );
    expect(text).toMatch(/\| hits +\| +\| +10 \|/);
    expect(text).toMatch(/500 rows, 384 dimensions; 2026-01-02, Node .*\(Abacus\)/);
    expect(text).toContain('npm run bench -- filter --rows 500');
    expect(text).not.toContain('## search');
  });
});

describe('drawRatios', () => {
  it('draws the speed as a multiple, whether a time or a rate was measured', () => {
    const svg = drawRatios([
      reportOf('filter', {
        measurements: [
          { what: 'a time', unit: 'ms', ours: 2, floor: 1, ratio: 2 },
          { what: 'a rate & more', unit: 'per second', ours: 3, floor: 1, ratio: 3 },
          { what: 'a size', unit: 'bytes', ours: 3, floor: 1, ratio: 3 },
        ],
      }),
    ]);
    expect(svg).toContain('a time: 0.50');
    expect(svg).toContain('a rate &amp; more: 3.00');
    expect(svg).not.toContain('a size');
  });
});

describe('drawRecall', () => {
  it('draws a point for each kind of search that was measured', () => {
    const svg = drawRecall([reportOf('search'), reportOf('filter')]);
    expect(svg.match(/<circle/g)).toHaveLength(4);
  });

  it('fails where a suite no longer has the line', () => {
    expect(() => drawRecall([reportOf('search', { measurements: [] })])).toThrow('search has no');
  });
});

describe('replaceComparison', () => {
  const readme = 'before\n<!-- figures of npm run benchmarks -->x<!-- end of figures -->\nafter';

  it('replaces the figures and nothing else', () => {
    const text = replaceComparison(readme, reports);
    expect(text).toMatch(
      /^before\n.*\| search, 20,000 passages +\|.*<!-- end of figures -->\nafter$/s,
    );
    expect(replaceComparison(text, reports)).toBe(text);
  });

  it('refuses figures of different sizes in one line, and a README without the marks', () => {
    const others = [
      ...reports.filter(({ suite }) => suite !== 'memory'),
      reportOf('memory', { rows: 5 }),
    ];
    expect(() => replaceComparison(readme, others)).toThrow('equally many rows');
    expect(() => replaceComparison('no marks', reports)).toThrow('README.md');
    expect(() => replaceComparison(readme, [])).toThrow('stores');
  });
});

describe('readReports', () => {
  it.each([
    ['search.json', { short: true }, 'short form'],
    ['search.json', { suite: 'upsert' }, 'expected the report of a suite search'],
    ['search.json', { measurements: [] }, 'holds no measurement'],
  ])('refuses %s with %j', (name, changes, message) => {
    write(name, reportOf('search', changes));
    expect(() => readReports(folder)).toThrow(message);
    rmSync(join(folder, name));
  });

  it('says how to get reports where there are none', () => {
    expect(() => readReports(folder)).toThrow('npm run bench');
  });
});
