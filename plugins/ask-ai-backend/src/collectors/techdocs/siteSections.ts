import type { DocumentSection } from 'backstage-plugin-ask-ai-node';
import { htmlToMarkdown, htmlToText } from '../../lib/html';
import { escapeMarkdown } from '../../lib/markdownEscapes';
import { headingText } from '../../lib/markdownSlugs';
import { introductionOf } from './introduction';
import type { SearchIndex, SearchIndexEntry } from './searchIndex';

/** Keys that only MkDocs' own search plugin writes: its texts are plain, on one line. */
const PLAIN_TEXT_KEYS = ['indexing', 'min_search_length', 'prebuild_index'];
/** Keys that only Material's search plugin writes: its texts are HTML. */
const HTML_KEYS = ['fields', 'pipeline'];
const HTML_TEXT = /^\s*<(?:p|ul|ol|pre|div|table|blockquote|dl|h[1-6])(?:\s[^<>]*)?>/i;

/**
 * The sections of a site in the order of the index. MkDocs' plugin repeats the text of all sections in
 * the entry of the page, so that only what stands outside of them is taken from there; Material's does
 * not.
 *
 * @param root - where the site lies in the portal: `/docs/default/component/petstore`.
 */
export function sectionsOfSearchIndex(index: SearchIndex, root: string): DocumentSection[] {
  const isHtml = hasHtml(index);
  const toText = isHtml ? htmlToMarkdown : escapeMarkdown;
  return pagesOf(index)
    .flatMap(({ page, sections }) => {
      // MkDocs' plugin takes the title of a page as its author wrote it, with links and emphasis.
      const pageTitle = isHtml ? htmlToText(page.title) : headingText(page.title);
      const titled = sections.map(section => ({ ...section, title: htmlToText(section.title) }));
      const introduction = isHtml ? page.text : introductionOf(page, titled);
      return [{ ...page, title: pageTitle, text: introduction }, ...titled].map(
        ({ location, title, text }) => ({
          headingPath: [...new Set([pageTitle, title])].filter(heading => heading !== ''),
          text: toText(text),
          location: `${root}/${location}`,
        }),
      );
    })
    .filter(({ text }) => text.trim() !== '');
}

/**
 * By the format, never by looking for angle brackets: a plain text about `array<string>` or JSX has
 * them as well.
 */
function hasHtml({ config = {}, docs }: SearchIndex): boolean {
  if (PLAIN_TEXT_KEYS.some(key => key in config)) {
    return false;
  }
  return (
    HTML_KEYS.some(key => key in config) ||
    docs.some(({ text }) => HTML_TEXT.test(text) && text.trimEnd().endsWith('>'))
  );
}

interface Page {
  page: SearchIndexEntry;
  sections: SearchIndexEntry[];
}

/** Sections follow their page; a section without one gets an empty page. */
function pagesOf({ docs }: SearchIndex): Page[] {
  const pages = new Map<string, Page>();
  for (const entry of docs) {
    const [pageLocation = ''] = entry.location.split('#', 1);
    const known = pages.get(pageLocation);
    const isSection = entry.location.includes('#');
    if (!isSection) {
      pages.set(pageLocation, { page: entry, sections: known?.sections ?? [] });
    } else if (known) {
      known.sections.push(entry);
    } else {
      const page = { location: pageLocation, title: '', text: '' };
      pages.set(pageLocation, { page, sections: [entry] });
    }
  }
  return [...pages.values()];
}
