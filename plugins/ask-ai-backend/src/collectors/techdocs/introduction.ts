import type { SearchIndexEntry } from './searchIndex';

/** A section that is not found at once is looked for this far on, in characters without white space. */
const LONGEST_GAP = 20_000;

/**
 * What stands on a page outside of its sections, of which MkDocs' plugin gives the text as part of the
 * whole page: usually what comes before the first heading. A section that can't be found in the page
 * leaves its text there, so that nothing is lost.
 */
export function introductionOf(page: SearchIndexEntry, sections: SearchIndexEntry[]): string {
  // The plugin joins the pieces of a heading and of a text in different ways.
  const { compact, positions } = withoutSpaces(page.text);
  const rest: string[] = [];
  let position = 0;
  for (const { title, text } of sections) {
    const section = withoutSpaces(`${title}${text}`).compact;
    const start = find(compact, section, position);
    if (start !== undefined) {
      rest.push(page.text.slice(positions[position], positions[start]));
      position = start + section.length;
    }
  }
  rest.push(page.text.slice(positions[position] ?? page.text.length));
  return rest
    .map(piece => piece.trim())
    .filter(Boolean)
    .join(' ');
}

function find(text: string, section: string, from: number): number | undefined {
  if (text.startsWith(section, from)) {
    return from;
  }
  const start = text.slice(from, from + section.length + LONGEST_GAP).indexOf(section);
  return start < 0 ? undefined : from + start;
}

/** The text without white space, and where each of its characters stood. */
function withoutSpaces(text: string): { compact: string; positions: number[] } {
  const positions: number[] = [];
  for (const { 0: word, index } of text.matchAll(/\S+/g)) {
    for (let offset = 0; offset < word.length; offset++) {
      positions.push(index + offset);
    }
  }
  return { compact: text.replace(/\s+/g, ''), positions };
}
