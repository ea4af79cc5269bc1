import type { RankedResult } from 'backstage-plugin-ask-ai-common';
import { estimateTokens } from '../../lib/tokens';

/** Longest title in a fence, in characters: a heading, not a text. */
const MAX_TITLE = 200;

/**
 * What begins or ends the fence, however it is spaced, and what chat templates of common models read
 * as the border of a message: `<|im_end|>`, `</s>`, `<start_of_turn>`, `<<SYS>>`.
 */
const OPENING =
  /<(?=\s*\/?\s*source)|<(?=\s*\|)|<(?=\/?s>)|<(?=\/?(?:start|end)_of_turn>)|<(?=<\/?SYS>>)/gi;

/** Mistral's and Llama 2's: `[INST]`, `[/INST]`, `[SYSTEM_PROMPT]`, `[AVAILABLE_TOOLS]`. */
const BRACKETS = /\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])/g;

/**
 * A source as data in a prompt. Neither text nor title can close the fence or begin a message: the
 * delimiters are escaped inside.
 *
 *     <source number="1" title="Petstore › Access tokens">
 *     ...
 *     </source>
 */
export function fence({ documentChunk }: RankedResult, number: number): string {
  const { entityName, content, metadata } = documentChunk;
  const title = metadata.title ? `${entityName} › ${metadata.title}` : entityName;
  return `<source number="${number}" title="${escapeAttribute(title)}">\n${escapeText(content)}\n</source>`;
}

/** Tokens of a fence without its text. */
export function fenceOverhead(hit: RankedResult): number {
  const documentChunk = { ...hit.documentChunk, content: '' };
  return estimateTokens(fence({ ...hit, documentChunk }, 1));
}

function escapeText(text: string): string {
  return withoutControls(text).replace(OPENING, '&lt;').replace(BRACKETS, '&#91;');
}

function escapeAttribute(text: string): string {
  const line = escapeText(text).replace(/\s+/g, ' ').replaceAll('"', '&quot;');
  return line.length > MAX_TITLE ? `${line.slice(0, MAX_TITLE).toWellFormed()}…` : line;
}

/** Control characters but tabs and line ends, and the invisible ones that hide text from a reader. */
function withoutControls(text: string): string {
  return text.replace(/[\p{Cc}\u{E0000}-\u{E007F}]/gu, character =>
    character === '\n' || character === '\t' ? character : '',
  );
}
