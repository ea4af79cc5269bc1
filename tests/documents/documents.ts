import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import MarkdownIt from 'markdown-it';
import { createHeadingIds } from '../../plugins/ask-ai-backend/src/lib/markdownSlugs';

export const ROOT = resolve(__dirname, '../..');

/** A fenced block. */
export interface Block {
  document: string;
  /** Of the fence, from 1. */
  line: number;
  language: string;
  text: string;
}

export interface Document {
  /** From the root of the repository. */
  path: string;
  headings: string[];
  /** What a link may lead to in it. */
  anchors: string[];
  blocks: Block[];
  /** Inline code. */
  codes: string[];
  /** Targets of links and pictures. */
  links: string[];
}

/** What is written for people: of the repository, of its packages, for assistants, and all in docs. */
export function readDocuments(): Document[] {
  const inDocs = readdirSync(join(ROOT, 'docs')).filter(name => name.endsWith('.md'));
  const packages = ['backend', 'common', 'node'];
  return [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    '.github/copilot-instructions.md',
    ...inDocs.map(name => `docs/${name}`),
    ...packages.map(name => `plugins/ask-ai-${name}/README.md`),
  ].map(path => parseDocument(path, readFileSync(join(ROOT, path), 'utf8')));
}

export function parseDocument(path: string, text: string): Document {
  const tokens = new MarkdownIt({ html: true }).parse(text, {});
  const inline = tokens.flatMap(({ children }) => children ?? []);
  const headings = tokens.flatMap((token, index) =>
    token.type === 'heading_open' ? [tokens[index + 1]?.content ?? ''] : [],
  );
  const idOf = createHeadingIds();
  return {
    path,
    headings,
    anchors: headings.map(idOf),
    blocks: tokens
      .filter(({ type }) => type === 'fence')
      .map(({ info, content, map }) => ({
        document: path,
        line: (map?.[0] ?? 0) + 1,
        language: info.trim(),
        text: content,
      })),
    codes: inline.filter(({ type }) => type === 'code_inline').map(({ content }) => content),
    links: inline.flatMap(token =>
      [token.attrGet('href'), token.attrGet('src')].filter(target => target !== null),
    ),
  };
}

/** Blocks of a language, as rows of a table of tests. */
export function blocksOf(
  documents: readonly Document[],
  ...languages: string[]
): [string, Block][] {
  return documents
    .flatMap(({ blocks }) => blocks)
    .filter(({ language }) => languages.includes(language))
    .map(block => [`${block.document}:${block.line}`, block]);
}
