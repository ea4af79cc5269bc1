import { compile, type DomNode, type FormatCallback } from 'html-to-text';
import { longerRun } from './longerRun';
import { escapeMarkdown, SPECIAL_CHARACTERS } from './markdownEscapes';

/** Characters. Above this html-to-text would cut the text off and say so on stderr. */
const MOST_CHARACTERS = 1 << 26;

const fencedCode: FormatCallback = (element, _walk, builder) => {
  const code = textOf(element).replace(/^\n+/, '').trimEnd();
  const fence = longerRun(code, '`', 3);
  builder.openBlock({ leadingLineBreaks: 2, isPre: true });
  if (code !== '') {
    builder.addInline(`${fence}${languageOf(element)}\n${code}\n${fence}`);
  }
  builder.closeBlock({ trailingLineBreaks: 2 });
};

const codeSpan: FormatCallback = (element, _walk, builder) => {
  const code = textOf(element).replace(/\s+/g, ' ');
  if (code.trim() !== '') {
    const fence = longerRun(code, '`', 1);
    const gap = code.startsWith('`') || code.endsWith('`') ? ' ' : '';
    builder.addInline(`${fence}${gap}${code}${gap}${fence}`, { noWordTransform: true });
  }
};

const toMarkdown = compile({
  wordwrap: false,
  limits: { maxInputLength: MOST_CHARACTERS },
  encodeCharacters: Object.fromEntries(
    SPECIAL_CHARACTERS.map(character => [character, escapeMarkdown(character)]),
  ),
  formatters: { fencedCode, codeSpan },
  selectors: [
    { selector: '*', format: 'inline' },
    { selector: 'pre', format: 'fencedCode' },
    { selector: 'code', format: 'codeSpan' },
    { selector: 'a', options: { ignoreHref: true } },
    { selector: 'img', format: 'skip' },
    { selector: 'ul', options: { itemPrefix: '- ' } },
    { selector: 'table', format: 'dataTable', options: { uppercaseHeaderCells: false } },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map(selector => ({
      selector,
      options: { uppercase: false },
    })),
  ],
});

/**
 * HTML as Markdown: paragraphs, lists, code spans and fenced code; links and images are left out. What
 * is a literal `<` or `&` to the reader stays one.
 */
export function htmlToMarkdown(html: string): string {
  return toMarkdown(html).trim();
}

/** What a reader sees, as plain text on one line: for titles. */
export function htmlToText(html: string): string {
  return html.includes('<') || html.includes('&')
    ? toPlainText(html).replace(/\s+/g, ' ').trim()
    : html.trim();
}

const toPlainText = compile({
  wordwrap: false,
  limits: { maxInputLength: MOST_CHARACTERS },
  selectors: [{ selector: '*', format: 'inline' }],
});

function textOf(node: DomNode): string {
  return node.type === 'text'
    ? (node.data ?? '')
    : node.name === 'br'
      ? '\n'
      : (node.children ?? []).map(textOf).join('');
}

/** `language-yaml` on the code or around it, as highlighters write it. */
function languageOf(node: DomNode): string {
  const elements = [node, ...(node.children ?? []), ...(node.parent ? [node.parent] : [])];
  const classes = elements.map(({ attribs }) => String(attribs?.class ?? '')).join(' ');
  return /\blanguage-([\w+#-]{1,40})/.exec(classes)?.[1] ?? '';
}
