import type { Report } from '../../bench/report';
import { circle, colourOf, label, legendEntry, line, svgDocument } from '../lib/svg';
import { measurementOf } from './readReports';

/** Pixels. */
const WIDTH = 760;
const PLOT = { left: 56, top: 36, width: 380, height: 240 };

const RECALL_TICKS = [0.95, 0.96, 0.97, 0.98, 0.99, 1];
const LATENCY_TICKS = [0.25, 0.5, 1, 2, 4, 8, 16, 32];

/** The lines of the tables that belong together. */
const POINTS: { suite: string; name: string; recall: RegExp; p50: RegExp }[] = [
  { suite: 'search', name: 'no filter', recall: /^recall@10$/, p50: /^search, k = 10.*p50$/ },
  ...['full', 'half'].flatMap(precision =>
    ['recall', 'scale'].map(suite => ({
      suite,
      name: `${precision} precision`,
      recall: new RegExp(`^${precision} precision: recall@10$`),
      p50: new RegExp(`^${precision} precision: p50$`),
    })),
  ),
  ...['10 %', '1 %', '0.1 %'].map(share => ({
    suite: 'filter',
    name: `filter that matches ${share}`,
    recall: new RegExp(`^filter that matches ${share} .*recall@10$`),
    p50: new RegExp(`^${share}: p50$`),
  })),
];

/** Which part of the nearest is found, and how long that takes. SVG. */
export function drawRecall(reports: readonly Report[]): string {
  const points = reports.flatMap(report =>
    POINTS.filter(({ suite }) => suite === report.suite).map(({ name, recall, p50 }) => ({
      name: `${name}, ${report.rows.toLocaleString('en-US')} rows`,
      recall: measurementOf(report, recall).ours,
      latencyMs: measurementOf(report, p50).ours,
    })),
  );
  const bottom = PLOT.top + PLOT.height;
  const right = PLOT.left + PLOT.width;
  return svgDocument({ width: WIDTH, height: bottom + 44, title: 'Recall and latency' }, [
    label(8, 18, 'Recall@10 (upwards) and p50 of a search in milliseconds', { bold: true }),
    ...RECALL_TICKS.flatMap(tick => [
      line({ x1: PLOT.left, x2: right, y1: yOf(tick), y2: yOf(tick) }),
      label(PLOT.left - 8, yOf(tick) + 4, String(tick), { anchor: 'end' }),
    ]),
    ...LATENCY_TICKS.flatMap(tick => [
      line({ x1: xOf(tick), x2: xOf(tick), y1: PLOT.top, y2: bottom }, '#eee'),
      label(xOf(tick), bottom + 16, String(tick), { anchor: 'middle' }),
    ]),
    ...points.map(({ name, recall, latencyMs }, position) =>
      circle(
        xOf(latencyMs),
        yOf(recall),
        colourOf(position),
        `${name}: ${recall.toFixed(4)}, ${latencyMs.toFixed(2)} ms`,
      ),
    ),
    // Named beside the point as well: there are more points than colours.
    ...points.map(({ recall, latencyMs }, position) =>
      label(xOf(latencyMs) + 7, yOf(recall) + (position % 2 === 0 ? -5 : 12), `${position + 1}`),
    ),
    ...points.map(({ name }, position) =>
      legendEntry(right + 16, PLOT.top + position * 18, `${position + 1} ${name}`, position),
    ),
  ]);
}

function yOf(recall: number): number {
  const [from, to] = [RECALL_TICKS[0] as number, RECALL_TICKS.at(-1) as number];
  return PLOT.top + ((to - Math.max(recall, from)) / (to - from)) * PLOT.height;
}

function xOf(latencyMs: number): number {
  const [from, to] = [LATENCY_TICKS[0] as number, LATENCY_TICKS.at(-1) as number].map(Math.log2);
  const [first, last] = [from as number, to as number];
  const position = Math.min(Math.max(Math.log2(latencyMs), first), last);
  return PLOT.left + ((position - first) / (last - first)) * PLOT.width;
}
