/** `!!! note "Title"`, a collapsed `??? note`, or a tab `=== "Title"`, as MkDocs' extensions take it. */
const NOTE = /^([ \t]*)(?:!!!|\?\?\?\+?) ?([a-z][\w-]*(?: +[\w-]+)*)?(?: +"([^"]*)")?\s*$/i;
const TAB = /^([ \t]*)===[+!]? +"([^"]*)"\s*$/;
const FENCE = /^[ \t]*(`{3,}|~{3,})/;

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
  for (const line of lines) {
    if (line.trim() === '') {
      opened.push(line);
      continue;
    }
    const indentation = line.length - line.trimStart().length;
    while (fence === undefined && indentation < (contents.at(-1) ?? 0)) contents.pop();
    const outer = contents.length * CONTENT_INDENTATION;
    const title = fence === undefined ? titleOf(line) : undefined;
    if (title === undefined) {
      opened.push(line.slice(Math.min(outer, indentation)));
      fence = fenceAfter(line, fence);
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

/** The fence that is open after a line, if any. */
function fenceAfter(line: string, open: string | undefined): string | undefined {
  const fence = FENCE.exec(line)?.[1];
  if (open === undefined) {
    return fence;
  }
  return fence?.startsWith(open) && line.trim() === fence ? undefined : open;
}
