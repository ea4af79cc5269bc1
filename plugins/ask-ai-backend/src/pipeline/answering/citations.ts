/** A citation of one or more sources: `[1]`, `[1, 2]`, `[1-3]`, `【1】`. Not a Markdown link. */
const CITATION = /^ ?(?:\[|【)([\d\s,;–-]{1,40})(?:\]|】)(?!\()/;

/** What may still become a citation, or a link with such a text. */
const UNFINISHED = /^ ?(?:(?:\[|【)[\d\s,;–-]{0,40}(?:\]|】)?)?$/;

/** Where something begins that must be looked at. */
const INTERESTING = /[ `[【]/;

/** A range of more sources than this is none: `[2019-2024]` are years. */
const MAX_CITED = 100;

/**
 * Takes citations that name no source out of an answer, piece by piece as it is written. What could
 * still become a citation is held back until it is known, so that no false one is ever shown; how a
 * text is cut into pieces does not change the result. Code stays as it is: `array[0]` is no citation.
 */
export class CitationFilter {
  private held = '';
  private isInFence = false;

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
      const step = this.isInFence ? this.inFence(isEnd) : this.outside(isEnd);
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
    return this.held.startsWith('`') ? this.code(isEnd) : this.citation(isEnd);
  }

  private code(isEnd: boolean): string | undefined {
    if (this.held.startsWith('```')) {
      this.isInFence = true;
      return this.release(3);
    }
    if (!isEnd && /^`{1,2}$/.test(this.held)) {
      return undefined;
    }
    const end = this.held.slice(1).search(/[`\n]/) + 1;
    if (end === 0) {
      return isEnd ? this.release(1) : undefined;
    }
    return this.release(this.held[end] === '`' ? end + 1 : 1);
  }

  private inFence(isEnd: boolean): string | undefined {
    const end = this.held.indexOf('```');
    if (end >= 0) {
      this.isInFence = false;
      return this.release(end + 3);
    }
    const open = isEnd ? 0 : (/`{1,2}$/.exec(this.held)?.[0].length ?? 0);
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
    if (numbers === undefined) {
      return this.release(whole.length);
    }
    this.held = this.held.slice(whole.length);
    const cited = numbers.filter(number => number >= 1 && number <= this.sourceCount);
    const lead = whole.startsWith(' ') ? ' ' : '';
    return cited.length === 0 ? '' : `${lead}[${cited.join(', ')}]`;
  }

  private release(length: number): string {
    const part = this.held.slice(0, length);
    this.held = this.held.slice(length);
    return part;
  }
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
