import { findCodeLines, splitLines, withoutBlankEnds } from './markdown';
import { openAdmonitions } from './markdownAdmonitions';
import { withoutHtml } from './markdownHtml';
import { protectLiterals } from './markdownSpans';

/** Alternative texts with fewer words name a logo or a badge; longer ones describe what is seen. */
const FEWEST_WORDS_OF_A_DESCRIPTION = 3;

/*
 * All quantifiers are bounded: on a line of a megabyte, a pattern that runs to the end of the line from
 * each of its possible starts takes minutes.
 */
const LINKED_IMAGE =
  /\[!\[[^\]\n]{0,300}\](?:\([^()\n]{0,1000}\)|\[[^\]\n]{0,200}\])\](?:\([^()\n]{0,1000}\)|\[[^\]\n]{0,200}\])/g;
const IMAGE =
  /!\[([^\]\n]{0,300})\](?:\([^()\n]{0,1000}\)|\[[^\]\n]{0,200}\])(?:\{[^{}\n]{0,200}\})?/g;
const CONTENTS_MARK = /^[ \t]*\[(?:TOC|\[_?TOC_?\])\][ \t]*$/gim;
/** `{: .class #id key="value" }`, and without the colon when a class or an id is first. */
const ATTRIBUTES =
  /[ \t]?(?<!\{)\{(?::[^{}\n]{0,200}|[ ]?[#.][A-Za-z][\w-]{0,80}(?:[ ][^{}\n]{0,200})?)\}(?!\})/g;

/**
 * Takes out of Markdown what says nothing: comments, badges, image addresses, HTML tags, attribute lists,
 * `[TOC]`, and MkDocs' marks of admonitions and tabs. Code stays as it is. What was escaped becomes
 * plain characters, so the result is for reading and searching, not for rendering. Takes any part of
 * a page: only its reader knows where it begins, and with it the front matter.
 */
export function cleanMarkdown(markdown: string): string {
  const lines = openAdmonitions(splitLines(markdown));
  const isCode = findCodeLines(lines);
  const parts: string[] = [];
  let start = 0;
  while (start < lines.length) {
    let end = start + 1;
    while (end < lines.length && isCode[end] === isCode[start]) end++;
    const part = lines.slice(start, end).join('\n');
    parts.push(isCode[start] ? part : cleanProse(part));
    start = end;
  }
  return withoutBlankEnds(parts.join('\n').split('\n'));
}

function cleanProse(prose: string): string {
  const { text, restore } = protectLiterals(prose);
  const cleaned = text
    .replace(LINKED_IMAGE, '')
    .replace(IMAGE, (_, description: string) => descriptionOf(description))
    .replace(CONTENTS_MARK, '')
    .replace(ATTRIBUTES, '');
  return restore(withoutHtml(cleaned, descriptionOf))
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n');
}

/** An image's alternative text, where it says something. */
function descriptionOf(alternative: string): string {
  const words = alternative.trim().split(/\s+/);
  return words.length >= FEWEST_WORDS_OF_A_DESCRIPTION ? alternative.trim() : '';
}
