import MarkdownIt from 'markdown-it';

/** A part of Markdown that stands by itself, with its source text. */
export interface MarkdownBlock {
  kind: 'code' | 'table' | 'list' | 'prose';
  text: string;
}

/** A heading that is not inside a list or a quotation. */
export interface MarkdownHeading {
  /** 1 to 6. */
  level: number;
  /** The source between the marks, with whatever inline markup it has. */
  source: string;
  /** First line, from 0. */
  startLine: number;
  /** The line after the heading. */
  endLine: number;
}

/** Only the structure of blocks is needed; reading inline markup would take most of the time. */
const parser = new MarkdownIt({ html: true });
parser.core.ruler.enableOnly(['normalize', 'block']);

const KINDS: Record<string, MarkdownBlock['kind']> = {
  fence: 'code',
  code_block: 'code',
  table_open: 'table',
  bullet_list_open: 'list',
  ordered_list_open: 'list',
};

/** The blocks of a text, in order. Every line that is not blank is in one of them. */
export function parseBlocks(markdown: string): MarkdownBlock[] {
  const lines = splitLines(markdown);
  const blocks: MarkdownBlock[] = [];
  const add = (kind: MarkdownBlock['kind'], start: number, end: number) => {
    const text = withoutBlankEnds(lines.slice(start, end));
    if (text !== '') {
      blocks.push({ kind, text });
    }
  };
  let next = 0;
  for (const { level, map, type, nesting } of parser.parse(lines.join('\n'), {})) {
    if (level === 0 && map && nesting >= 0) {
      // Definitions of links leave no token.
      add('prose', next, map[0]);
      add(KINDS[type] ?? 'prose', map[0], map[1]);
      next = map[1];
    }
  }
  add('prose', next, lines.length);
  return blocks;
}

/** The items of a list, each with its mark and everything that is indented below it. */
export function splitListItems(list: string): string[] {
  const lines = splitLines(list);
  const starts = parser
    .parse(lines.join('\n'), {})
    .flatMap(({ type, level, map }) =>
      type === 'list_item_open' && level === 1 && map ? [map[0]] : [],
    );
  return starts
    .map((start, index) =>
      withoutBlankEnds(lines.slice(index === 0 ? 0 : start, starts[index + 1])),
    )
    .filter(item => item !== '');
}

/** The headings of a text, in order. */
export function findHeadings(markdown: string): MarkdownHeading[] {
  const tokens = parser.parse(splitLines(markdown).join('\n'), {});
  return tokens.flatMap(({ type, level, map, tag }, index) =>
    type === 'heading_open' && level === 0 && map
      ? [
          {
            level: Number(tag.slice(1)),
            source: tokens[index + 1]?.content ?? '',
            startLine: map[0],
            endLine: map[1],
          },
        ]
      : [],
  );
}

/** For every line whether it belongs to a code block, at any depth. */
export function findCodeLines(lines: string[]): boolean[] {
  const isCode = new Array<boolean>(lines.length).fill(false);
  for (const { type, map } of parser.parse(lines.join('\n'), {})) {
    if (map && (type === 'fence' || type === 'code_block')) {
      isCode.fill(true, map[0], map[1]);
    }
  }
  return isCode;
}

export function splitLines(text: string): string[] {
  return text.split(/\r\n|\r|\n/);
}

/** Joins lines without the blank ones at both ends; the first line keeps its indentation. */
export function withoutBlankEnds(lines: string[]): string {
  const start = lines.findIndex(line => line.trim() !== '');
  const end = lines.findLastIndex(line => line.trim() !== '');
  return start < 0
    ? ''
    : lines
        .slice(start, end + 1)
        .join('\n')
        .trimEnd();
}
