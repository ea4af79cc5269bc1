import { colourOf, label, legendEntry, line, rectangle, svgDocument } from '../lib/svg';
import type { ModeEvaluation } from './evaluation';
import type { RetrievalMetrics } from './metrics';

const PANELS: { title: string; figureOf(values: RetrievalMetrics): number }[] = [
  { title: 'hit@1', figureOf: ({ hitAt1 }) => hitAt1 },
  { title: 'hit@5', figureOf: ({ hitAt5 }) => hitAt5 },
  { title: 'MRR', figureOf: ({ meanReciprocalRank }) => meanReciprocalRank },
  { title: 'nDCG@10', figureOf: ({ ndcgAt10 }) => ndcgAt10 },
];

/** Pixels. */
const BAR = 18;
const GAP = 16;
const PANEL_HEIGHT = 140;
const LEFT = 64;
const TOP = 56;
const BETWEEN_PANELS = 44;
const LEGEND_ENTRY = 90;

/** A picture of the comparison: a panel a measure, a group of bars a style, a bar a mode. SVG. */
export function drawComparison(evaluations: readonly ModeEvaluation[]): string {
  const styles = evaluations[0]?.metrics.map(({ style }) => style) ?? [];
  const groupWidth = evaluations.length * BAR + GAP;
  const width = Math.max(LEFT + styles.length * groupWidth + GAP, 420);
  const height = TOP + PANELS.length * (PANEL_HEIGHT + BETWEEN_PANELS);
  const panels = PANELS.flatMap(({ title, figureOf }, panel) => {
    const bottom = TOP + panel * (PANEL_HEIGHT + BETWEEN_PANELS) + PANEL_HEIGHT;
    const bars = evaluations.flatMap(({ mode, metrics }, position) =>
      metrics.flatMap(({ style, values }) => {
        const x = LEFT + styles.indexOf(style) * groupWidth + position * BAR;
        const value = figureOf(values);
        return bar({ x, bottom, value, colour: colourOf(position) }, `${mode}, ${style}`);
      }),
    );
    const labels = styles.map((style, index) =>
      label(LEFT + index * groupWidth + (groupWidth - GAP) / 2, bottom + 14, style, {
        anchor: 'middle',
        size: 9,
      }),
    );
    return [...axis(title, bottom, width), ...bars, ...labels];
  });
  const legend = evaluations.map(({ mode }, position) =>
    legendEntry(LEFT + position * LEGEND_ENTRY, 12, mode, position),
  );
  const title = 'Retrieval by mode and style of question';
  return svgDocument({ width, height, title }, [...legend, ...panels]);
}

function bar(
  { x, bottom, value, colour }: { x: number; bottom: number; value: number; colour: string },
  what: string,
): string[] {
  const height = value * PANEL_HEIGHT;
  const y = bottom - height;
  return [
    rectangle({ x, y, width: BAR - 2, height }, colour, `${what}: ${value.toFixed(3)}`),
    label(x + BAR / 2 - 1, y - 2, value.toFixed(2).replace(/^0/, ''), {
      anchor: 'middle',
      size: 8,
    }),
  ];
}

function axis(title: string, bottom: number, width: number): string[] {
  const ticks = [0, 0.5, 1].flatMap(value => {
    const y = bottom - value * PANEL_HEIGHT;
    return [
      line({ x1: LEFT - 4, x2: width - GAP, y1: y, y2: y }),
      label(LEFT - 8, y + 4, String(value), { anchor: 'end' }),
    ];
  });
  return [...ticks, label(8, bottom - PANEL_HEIGHT - 14, title, { bold: true })];
}
