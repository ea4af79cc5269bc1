import type { AskResponse, RankedResult } from 'backstage-plugin-ask-ai-common';
import type { Terminal } from './terminal';
import { wrapText } from './wrapText';

/** Characters of a hit's text that the list of hits shows: about three lines. */
const EXCERPT_CHARACTERS = 240;

/** An answer with its numbered sources. */
export function formatAnswer(
  response: AskResponse,
  terminal: Terminal,
  appUrl: string | undefined,
): string {
  const answer = styleProse(wrapText(response.answer.trim(), terminal.columns), terminal);
  if (response.sources.length === 0) {
    return answer;
  }
  const sources = response.sources.map((source, index) =>
    formatSource(source, index + 1, terminal, appUrl),
  );
  return [
    answer,
    '',
    terminal.style('bold', response.found ? 'Sources' : 'Looked at'),
    ...sources,
  ].join('\n');
}

/** Hits with an excerpt of their text, best first. */
export function formatHits(
  results: RankedResult[],
  terminal: Terminal,
  appUrl: string | undefined,
): string {
  return results
    .map((result, index) => {
      const lines = wrapText(excerpt(result.documentChunk.content), terminal.columns - 5);
      return [
        formatSource(result, index + 1, terminal, appUrl),
        ...lines.split('\n').map(line => `     ${line}`),
      ].join('\n');
    })
    .join('\n\n');
}

function formatSource(
  { documentChunk, similarity }: RankedResult,
  number: number,
  terminal: Terminal,
  appUrl: string | undefined,
): string {
  const { title, location } = documentChunk.metadata;
  const label = `${`[${number}]`.padStart(4)} `;
  const entity = `${documentChunk.entityName} (${documentChunk.entityId})`;
  const first = [
    terminal.style('cyan', label) + terminal.style('bold', title ?? documentChunk.entityName),
    terminal.style('dim', `similarity ${similarity.toFixed(2)}`),
  ].join('  ');
  return [
    first,
    `     ${entity}`,
    ...(location ? [`     ${link(location, terminal, appUrl)}`] : []),
  ].join('\n');
}

function link(location: string, terminal: Terminal, appUrl: string | undefined): string {
  return terminal.style('underline', `${appUrl ?? ''}${location}`);
}

function excerpt(content: string): string {
  const text = content.replace(/\s+/g, ' ').trim();
  return text.length > EXCERPT_CHARACTERS ? `${text.slice(0, EXCERPT_CHARACTERS)}…` : text;
}

/** Citations, bold text and code; what is spread over two lines stays plain. */
function styleProse(text: string, terminal: Terminal): string {
  return text
    .replace(/\*\*([^*\n]+)\*\*/g, (whole, inner: string) => styled(terminal, 'bold', inner, whole))
    .replace(/`([^`\n]+)`/g, (whole, inner: string) => styled(terminal, 'cyan', inner, whole))
    .replace(/\[\d+\]/g, citation => terminal.style('cyan', citation));
}

/** The marks go only where a style takes their place. */
function styled(terminal: Terminal, style: 'bold' | 'cyan', inner: string, whole: string): string {
  const result = terminal.style(style, inner);
  return result === inner ? whole : result;
}
