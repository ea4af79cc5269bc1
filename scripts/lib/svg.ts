/** Told apart also without colours, by their order and by the legend (Okabe and Ito, 2008). */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00'];

/** A whole picture on white, since the page around it may be dark. Lengths are pixels. */
export function svgDocument(
  { width, height, title }: { width: number; height: number; title: string },
  body: string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<title>${escapeXml(title)}</title>
<rect width="100%" height="100%" fill="white"/>
${body.join('\n')}
</svg>
`;
}

/** A rectangle that says what it is when the pointer rests on it. */
export function rectangle(
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  colour: string,
  title?: string,
): string {
  const inner = title === undefined ? '/>' : `><title>${escapeXml(title)}</title></rect>`;
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${colour}"${inner}`;
}

export function line(
  { x1, x2, y1, y2 }: { x1: number; x2: number; y1: number; y2: number },
  colour = '#ccc',
): string {
  return `<line x1="${round(x1)}" x2="${round(x2)}" y1="${round(y1)}" y2="${round(y2)}" stroke="${colour}"/>`;
}

export function circle(x: number, y: number, colour: string, title: string): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="5" fill="${colour}"><title>${escapeXml(title)}</title></circle>`;
}

/** Text, with its anchor at the start unless `attributes` say otherwise. */
export function label(
  x: number,
  y: number,
  text: string,
  attributes: { anchor?: 'middle' | 'end'; size?: number; bold?: boolean } = {},
): string {
  const anchor = attributes.anchor ? ` text-anchor="${attributes.anchor}"` : '';
  const size = attributes.size ? ` font-size="${attributes.size}"` : '';
  const weight = attributes.bold ? ' font-weight="bold"' : '';
  return `<text x="${round(x)}" y="${round(y)}"${anchor}${size}${weight}>${escapeXml(text)}</text>`;
}

/** An entry of the legend, a square of the colour before the name. */
export function legendEntry(x: number, y: number, name: string, position: number): string {
  const square = rectangle({ x, y, width: 12, height: 12 }, colourOf(position));
  return `${square}${label(x + 18, y + 10, name)}`;
}

export function colourOf(position: number): string {
  return COLOURS[position % COLOURS.length] as string;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A tenth of a pixel is more than anybody sees. */
function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
