import type { Measurement } from '../../bench/measurement';
import type { Report } from '../../bench/report';
import { colourOf, label, line, rectangle, svgDocument } from '../lib/svg';

/** Pixels. */
const LEFT = 430;
const PLOT_WIDTH = 330;
const ROW = 17;
const TOP = 44;
const RIGHT = 60;

/** Of the axis, which is logarithmic. */
const TICKS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];
const FROM = Math.log2(TICKS[0] as number);
const TO = Math.log2(TICKS.at(-1) as number);

type Bar = { what: string; speed: number; target?: number };

/** How fast ours is, as a multiple of what each line of the tables compares it with. SVG. */
export function drawRatios(reports: readonly Report[]): string {
  const groups = reports
    .map(({ suite, measurements }) => ({ suite, bars: measurements.flatMap(toBar) }))
    .filter(({ bars }) => bars.length > 0);
  const rows = groups.flatMap(({ suite, bars }, group) => [
    { heading: suite },
    ...bars.map(bar => ({ bar, group })),
  ]);
  const bottom = TOP + rows.length * ROW;
  const body = rows.flatMap((row, index) => {
    const y = TOP + index * ROW;
    return 'heading' in row
      ? [label(8, y + 12, row.heading, { bold: true })]
      : drawBar(row.bar, y, colourOf(row.group));
  });
  return svgDocument(
    { width: LEFT + PLOT_WIDTH + RIGHT, height: bottom + 12, title: 'Speed against the floor' },
    [
      label(8, 18, 'Speed as a multiple of what ours is compared with; black: the target', {
        bold: true,
      }),
      ...TICKS.flatMap(tick => [
        line(
          { x1: xOf(tick), x2: xOf(tick), y1: TOP - 4, y2: bottom },
          tick === 1 ? '#888' : '#ddd',
        ),
        label(xOf(tick), TOP - 8, String(tick), { anchor: 'middle', size: 9 }),
      ]),
      ...body,
    ],
  );
}

function drawBar({ what, speed, target }: Bar, y: number, colour: string): string[] {
  const [x1, x2] = [xOf(Math.min(1, speed)), xOf(Math.max(1, speed))];
  const text = speed.toFixed(2);
  const mark =
    target === undefined
      ? []
      : [rectangle({ x: xOf(target) - 1, y, width: 2, height: ROW - 3 }, 'black')];
  return [
    label(LEFT - 8, y + 11, what, { anchor: 'end', size: 10 }),
    rectangle(
      { x: x1, y: y + 2, width: Math.max(x2 - x1, 1), height: ROW - 7 },
      colour,
      `${what}: ${text}`,
    ),
    ...mark,
    label(LEFT + PLOT_WIDTH + 8, y + 11, text, { size: 10 }),
  ];
}

/** Of times and rates; sizes and shares are no speed. */
function toBar({ what, unit, ratio, target }: Measurement): Bar[] {
  if (ratio === undefined || !['ms', 's', 'per second'].includes(unit)) {
    return [];
  }
  const speedOf = (value: number) => (unit === 'per second' ? value : 1 / value);
  const limit = target && ('atMost' in target ? target.atMost : target.atLeast);
  return [{ what, speed: speedOf(ratio), target: limit && speedOf(limit) }];
}

function xOf(speed: number): number {
  const position = Math.min(Math.max(Math.log2(speed), FROM), TO);
  return LEFT + ((position - FROM) / (TO - FROM)) * PLOT_WIDTH;
}
