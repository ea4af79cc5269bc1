/** A citation of one or more sources: `[1]`, `[1, 2]`, `[1-3]`, `【1】`. Not a Markdown link. */
const CITATION = /^ ?(?:\[|【)([\d\s,;–-]{1,40})(?:\]|】)(?!\()/;

/** What may still become a citation, or a link with such a text. */
const UNFINISHED = /^ ?(?:(?:\[|【)[\d\s,;–-]{0,40}(?:\]|】)?)?$/;

/** Where something begins that must be looked at. */
const INTERESTING = /[ `~\\[【]/;

/** A range of more sources than this is none: `[2019-2024]` are years. */
const MAX_CITED = 100;

/** Numbers from here on are no citations where there are fewer sources: `[404]`, `[80, 443]`. */
const THREE_DIGITS = 100;

/** Behind these, `[0]` is an index: `items[0]`, `list()[0]`, `rows[0][0]`. */
const INDEXED = /[\w)\]]$/;

/** What may stand before a fence in its line: quotations and list items. */
const FENCE_LEAD = /^[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*)*$/;

/** The beginning of a line that may be a `FENCE_LEAD`; longer ones are none. */
const MAX_LEAD = 80;

/** Code that goes over several lines. */
interface Block {
  /** The run that began it. */
  fence: string;
  /** Begun within a line of text, where Markdown knows no fence: it ends at the next such run. */
  isInline: boolean;
}

/**
 * Takes citations that name no source out of an answer, piece by piece as it is written. What could
 * still become a citation is held back until it is known, so that no false one is ever shown; how a
 * text is cut into pieces does not change the result. Code stays as it is, and so does what is
 * plainly an index or other numbers: `array[0]` and `[404]` are no citations.
 */
export class CitationFilter {
  private held = '';
  private block: Block | undefined;
  /** What is shown of the line so far, its beginning. */
  private line = '';
  /** The character before what is held; none behind a citation. */
  private last = '';
  /** Behind a citation that may be an index, too: the `[1]` of `rows[1][0]`. */
  private isBehindIndex = false;

  /** @param sourceCount - `[1]` names the first of so many. */
  constructor(private readonly sourceCount: number) {}

  /** What may be shown now. */
  push(piece: string): string {
    this.held += piece;
    return this.take(false);
  }

  /** The rest. */
  flush(): string {
    return this.take(true);
  }

  private take(isEnd: boolean): string {
    let shown = '';
    while (this.held !== '') {
      const step = this.block ? this.inBlock(this.block, isEnd) : this.outside(isEnd);
      if (step === undefined) {
        break;
      }
      shown += step;
    }
    return shown;
  }

  /** The next part that is settled; `undefined` when more must be known. */
  private outside(isEnd: boolean): string | undefined {
    const start = this.held.search(INTERESTING);
    if (start !== 0) {
      return this.release(start < 0 ? this.held.length : start);
    }
    switch (this.held[0]) {
      case '`':
      case '~':
        return this.code(isEnd);
      case '\\':
        return this.escape(isEnd);
      default:
        return this.citation(isEnd);
    }
  }

  /** An escaped backtick begins no code. */
  private escape(isEnd: boolean): string | undefined {
    if (this.held.length === 1 && !isEnd) {
      return undefined;
    }
    return this.release(/^\\[\\`~]/.test(this.held) ? 2 : 1);
  }

  private code(isEnd: boolean): string | undefined {
    const run = /^(?:`+|~+)/.exec(this.held)?.[0] ?? '';
    if (run.length === this.held.length && !isEnd) {
      return undefined;
    }
    const isBlockStart = FENCE_LEAD.test(this.line);
    if (run.startsWith('~') && (run.length < 3 || !isBlockStart)) {
      return this.release(run.length);
    }
    const lineEnd = this.held.indexOf('\n');
    const rest = this.held.slice(run.length, lineEnd < 0 ? undefined : lineEnd);
    const span = run.startsWith('`') ? closingRun(rest, run) : undefined;
    if (span !== undefined && (isEnd || span < rest.length || lineEnd >= 0)) {
      return this.release(run.length + span);
    }
    if (lineEnd < 0 && !isEnd) {
      return undefined;
    }
    const isFence = run.startsWith('~') || (run.length >= 3 && !rest.includes('`'));
    if (!isFence || (!isBlockStart && !/^\s*[\w+#.-]*\s*$/.test(rest))) {
      return this.release(run.length);
    }
    this.block = { fence: run, isInline: !isBlockStart };
    return this.release(lineEnd < 0 ? this.held.length : lineEnd + 1);
  }

  private inBlock({ fence, isInline }: Block, isEnd: boolean): string | undefined {
    if (isInline) {
      return this.inInlineBlock(fence, isEnd);
    }
    const lineEnd = this.held.indexOf('\n');
    const line = lineEnd < 0 ? this.held : this.held.slice(0, lineEnd);
    const [, run = ''] = (this.line === '' && /^[ \t>]*(`*|~*)[ \t\r]*$/.exec(line)) || [];
    if (lineEnd < 0 && !isEnd) {
      const mayClose = this.line === '' && /^[ \t>]*(?:`*|~*)[ \t\r]*$/.test(line);
      return mayClose ? undefined : this.release(line.length);
    }
    if (run.startsWith(fence)) {
      this.block = undefined;
      return this.release(line.length);
    }
    return this.release(lineEnd < 0 ? line.length : lineEnd + 1);
  }

  private inInlineBlock(fence: string, isEnd: boolean): string | undefined {
    const end = closingRun(this.held, fence);
    if (end !== undefined && (isEnd || end < this.held.length)) {
      this.block = undefined;
      return this.release(end);
    }
    const open = isEnd ? 0 : (/`+$/.exec(this.held)?.[0].length ?? 0);
    return open === this.held.length ? undefined : this.release(this.held.length - open);
  }

  private citation(isEnd: boolean): string | undefined {
    if (!isEnd && UNFINISHED.test(this.held)) {
      return undefined;
    }
    const [whole, list = ''] = CITATION.exec(this.held) ?? [];
    if (whole === undefined) {
      return this.release(1);
    }
    const numbers = numbersIn(list);
    const cited = numbers?.filter(number => number >= 1 && number <= this.sourceCount) ?? [];
    if (numbers === undefined || (cited.length === 0 && this.isNoCitation(whole, numbers))) {
      return this.release(whole.length);
    }
    this.held = this.held.slice(whole.length);
    this.isBehindIndex = whole.startsWith('[') && (this.isBehindIndex || INDEXED.test(this.last));
    this.last = '';
    const lead = whole.startsWith(' ') ? ' ' : '';
    return cited.length === 0 ? '' : this.show(`${lead}[${cited.join(', ')}]`);
  }

  /** Of numbers that name no source: whether nobody would take them for a citation. */
  private isNoCitation(whole: string, numbers: number[]): boolean {
    return (
      (whole.startsWith('[') && INDEXED.test(this.last)) ||
      (whole === '[0]' && this.isBehindIndex) ||
      (this.sourceCount < THREE_DIGITS && numbers.some(number => number >= THREE_DIGITS))
    );
  }

  private release(length: number): string {
    const part = this.held.slice(0, length);
    this.held = this.held.slice(length);
    this.last = part.slice(-1);
    this.isBehindIndex = false;
    return this.show(part);
  }

  private show(part: string): string {
    const newLine = part.lastIndexOf('\n') + 1;
    this.line = `${newLine > 0 ? '' : this.line}${part.slice(newLine)}`.slice(0, MAX_LEAD);
    return part;
  }
}

/** The end of the first run of backticks that is as long as this one. */
function closingRun(text: string, run: string): number | undefined {
  for (const { 0: found, index } of text.matchAll(/`+/g)) {
    if (found.length === run.length) {
      return index + found.length;
    }
  }
  return undefined;
}

/** Takes out citations that name no source; `[1]` names the first of `sourceCount`. */
export function checkCitations(answer: string, sourceCount: number): string {
  const filter = new CitationFilter(sourceCount);
  return filter.push(answer) + filter.flush();
}

/** The numbers that a text cites, each once, in order. */
export function citedNumbers(text: string): number[] {
  const lists = [...text.matchAll(/(?:\[|【)([\d\s,;–-]{1,40})(?:\]|】)(?!\()/g)];
  return [...new Set(lists.flatMap(([, list = '']) => numbersIn(list) ?? []))];
}

/** The sources of `1, 3-5`; `undefined` for what lists none, such as ` - ` or `2019-2024`. */
function numbersIn(list: string): number[] | undefined {
  const numbers: number[] = [];
  for (const part of list.split(/[,;]/)) {
    const [, first, last] = /^\s*(\d{1,3})(?:\s*[–-]\s*(\d{1,3}))?\s*$/.exec(part) ?? [];
    if (first === undefined) {
      return undefined;
    }
    const [from, to] = [Number(first), Number(last ?? first)];
    if (to < from || to - from > MAX_CITED) {
      return undefined;
    }
    for (let number = from; number <= to; number++) {
      numbers.push(number);
    }
  }
  return numbers;
}
