import type { DocumentSection } from 'backstage-plugin-ask-ai-node';
import { findHeadings, splitLines } from '../../lib/markdown';
import { createHeadingIds, headingText } from '../../lib/markdownSlugs';
import { withoutFrontMatter } from './frontMatter';

/** A page of a site as its author wrote it. */
export interface MarkdownPage {
  /** Relative to the folder of the documentation, with `/`: `guide/setup.md`. */
  path: string;
  markdown: string;
  /** From the navigation of the site. */
  title?: string;
}

/**
 * The sections of a page, each under its heading, named and located as MkDocs would.
 *
 * @param url - address of the page in the site: `guide/setup/`.
 * @param root - where the site lies in the portal.
 */
export function sectionsOfPage(page: MarkdownPage, url: string, root: string): DocumentSection[] {
  const { lines, frontMatter } = withoutFrontMatter(splitLines(page.markdown));
  const headings = findHeadings(lines.join('\n'));
  const idOf = createHeadingIds();
  const title = page.title ?? titleOf(page.path, frontMatter, headings[0]);
  const location = `${root}/${url}`;
  const textBetween = (start: number, end?: number) => lines.slice(start, end).join('\n').trim();
  const sections = [
    { headingPath: [title], text: textBetween(0, headings[0]?.startLine), location },
  ];
  const open: { level: number; text: string }[] = [];
  headings.forEach(({ level, source, endLine }, index) => {
    while ((open.at(-1)?.level ?? 0) >= level) open.pop();
    open.push({ level, text: headingText(source) });
    sections.push({
      headingPath: [...new Set([title, ...open.map(({ text }) => text)])].filter(Boolean),
      text: textBetween(endLine, headings[index + 1]?.startLine),
      location: `${location}#${idOf(source)}`,
    });
  });
  return sections.filter(({ text }) => text !== '');
}

/** Address of a page in the site: `guide/setup.md` is `guide/setup/`, `index.md` is the folder. */
export function urlOfPage(path: string, useDirectoryUrls: boolean): string {
  const [, folder = '', name = ''] = /^(.*\/)?([^/]*)\.[^./]+$/.exec(path) ?? [];
  const isIndex = name === 'index' || name === 'README';
  const file = isIndex ? 'index' : name;
  const url = useDirectoryUrls ? (isIndex ? folder : `${folder}${name}/`) : `${folder}${file}.html`;
  return url.split('/').map(encodeURIComponent).join('/');
}

function titleOf(
  path: string,
  frontMatter: string[],
  firstHeading: { level: number; source: string } | undefined,
): string {
  const declared = frontMatter
    .map(line => /^title[ \t]*:[ \t]*(.+)$/.exec(line)?.[1])
    .find(Boolean);
  const heading = firstHeading?.level === 1 ? headingText(firstHeading.source) : undefined;
  return declared?.trim().replace(/^(["'])(.*)\1$/, '$2') || heading || titleOfFile(path);
}

function titleOfFile(path: string): string {
  const name = (path.split('/').at(-1) ?? '')
    .replace(/\.[^.]+$/, '')
    .replace(/[-_]/g, ' ')
    .trim();
  if (/^(?:index|readme)$/i.test(name)) {
    return 'Home';
  }
  return name === name.toLowerCase() ? `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}` : name;
}
