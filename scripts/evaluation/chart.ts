import type { ModeEvaluation } from './evaluation';
import type { RetrievalMetrics } from './metrics';

/** Told apart also without colours, by their order and by the legend (Okabe and Ito, 2008). */
const COLOURS = ['#0072b2', '#e69f00', '#009e73'];

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

/** A picture of the comparison: a panel a measure, a group of bars a style, a bar a mode. SVG. */
export function drawComparison(evaluations: readonly ModeEvaluation[]): string {
  const styles = evaluations[0]?.metrics.map(({ style }) => style) ?? [];
  const groupWidth = evaluations.length * BAR + GAP;
  const width = Math.max(LEFT + styles.length * groupWidth + GAP, 420);
  const height = TOP + PANELS.length * (PANEL_HEIGHT + BETWEEN_PANELS);
  const panels = PANELS.map(({ title, figureOf }, panel) => {
    const bottom = TOP + panel * (PANEL_HEIGHT + BETWEEN_PANELS) + PANEL_HEIGHT;
    const bars = evaluations.flatMap(({ mode, metrics }, position) =>
      metrics.map(({ style, values }) => {
        const x = LEFT + styles.indexOf(style) * groupWidth + position * BAR;
        return bar({ x, bottom, value: figureOf(values), colour: colourOf(position) }, [
          mode,
          style,
        ]);
      }),
    );
    const labels = styles.map((style, index) =>
      label(LEFT + index * groupWidth + (groupWidth - GAP) / 2, bottom + 14, style),
    );
    return [axis(title, bottom, width), ...bars, ...labels].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<title>Retrieval by mode and style of question</title>
<rect width="100%" height="100%" fill="white"/>
${evaluations.map(({ mode }, position) => legend(mode, position)).join('\n')}
${panels.join('\n')}
</svg>
`;
}

function bar(
  { x, bottom, value, colour }: { x: number; bottom: number; value: number; colour: string },
  [mode, style]: [string, string],
): string {
  const height = value * PANEL_HEIGHT;
  const text = value.toFixed(2).replace(/^0/, '');
  return `<rect x="${x}" y="${bottom - height}" width="${BAR - 2}" height="${height}" fill="${colour}"><title>${escapeXml(`${mode}, ${style}: ${value.toFixed(3)}`)}</title></rect>
<text x="${x + BAR / 2 - 1}" y="${bottom - height - 2}" text-anchor="middle" font-size="8">${text}</text>`;
}

function axis(title: string, bottom: number, width: number): string {
  return [0, 0.5, 1]
    .map(value => {
      const y = bottom - value * PANEL_HEIGHT;
      return `<line x1="${LEFT - 4}" x2="${width - GAP}" y1="${y}" y2="${y}" stroke="#ccc"/><text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${value}</text>`;
    })
    .concat(`<text x="8" y="${bottom - PANEL_HEIGHT - 14}" font-weight="bold">${title}</text>`)
    .join('\n');
}

function legend(mode: string, position: number): string {
  const x = LEFT + position * 90;
  return `<rect x="${x}" y="12" width="12" height="12" fill="${colourOf(position)}"/><text x="${x + 18}" y="22">${escapeXml(mode)}</text>`;
}

function label(x: number, y: number, text: string): string {
  return `<text x="${x}" y="${y}" text-anchor="middle" font-size="9">${escapeXml(text)}</text>`;
}

function colourOf(position: number): string {
  return COLOURS[position % COLOURS.length] as string;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
