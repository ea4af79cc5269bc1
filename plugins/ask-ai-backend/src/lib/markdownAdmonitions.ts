/** `!!! note "Title"`, a collapsed `??? note`, or a tab `=== "Title"`, as MkDocs' extensions take it. */
const NOTE = /^([ \t]*)(?:!!!|\?\?\?\+?) ?([a-z][\w-]*(?: +[\w-]+)*)?(?: +"([^"]*)")?\s*$/i;
const TAB = /^([ \t]*)===[+!]? +"([^"]*)"\s*$/;
/** No backtick follows on the line: ```` ```npm i``` ```` is a code span. */
const FENCE = /^[ \t]*(?:(`{3,})[^`]*|(~{3,}).*)$/;
const LIST_ITEM = /^[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)/;

/** Positions, not types: `!!! note inline end`. */
const LAYOUT_WORDS = /\b(?:inline|end|annotate)\b/g;

/** How far MkDocs wants the content indented. */
const CONTENT_INDENTATION = 4;

/**
 * Turns admonitions and tabs into a bold title and ordinary text: in plain Markdown their content,
 * being indented, would be taken for code.
 */
export function openAdmonitions(lines: string[]): string[] {
  const opened: string[] = [];
  const contents: number[] = [];
  let fence: string | undefined;
  let isInList = false;
  for (const line of lines) {
    if (line.trim() === '') {
      opened.push(line);
      continue;
    }
    const indentation = line.length - line.trimStart().length;
    while (fence === undefined && indentation < (contents.at(-1) ?? 0)) contents.pop();
    const outer = contents.length * CONTENT_INDENTATION;
    const title = fence === undefined ? titleOf(line) : undefined;
    // Outside of lists, what is indented that far is code.
    const isCode = !isInList && isIndentedCode(line.slice(outer));
    if (fence === undefined && !isCode) {
      isInList = LIST_ITEM.test(line) || (isInList && indentation > outer);
    }
    if (title === undefined) {
      opened.push(line.slice(Math.min(outer, indentation)));
      fence = fence === undefined && isCode ? undefined : fenceAfter(line, fence);
    } else {
      opened.push(`${line.slice(outer, indentation)}**${title}**`, '');
      contents.push(indentation + CONTENT_INDENTATION);
    }
  }
  return opened;
}

/** `undefined` for a line that opens nothing. */
function titleOf(line: string): string | undefined {
  const tab = TAB.exec(line);
  if (tab) {
    return tab[2];
  }
  const [, , types, title] = NOTE.exec(line) ?? [];
  const type = types?.replace(LAYOUT_WORDS, '').trim();
  return title || (type && type[0]?.toUpperCase() + type.slice(1)) || undefined;
}

function isIndentedCode(line: string): boolean {
  return /^(?: {4}| {0,3}\t)/.test(line);
}

/** The fence that is open after a line, if any. */
function fenceAfter(line: string, open: string | undefined): string | undefined {
  const [, backticks, fence = backticks] = FENCE.exec(line) ?? [];
  if (open === undefined) {
    return fence;
  }
  return fence?.startsWith(open) && line.trim() === fence ? undefined : open;
}
