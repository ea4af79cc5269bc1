import { parseDocument } from 'yaml';

/** What decides how MkDocs names the pages of a site. */
export interface MkdocsConfig {
  /** Folder of the Markdown, relative to the configuration. */
  docsDir: string;
  /** `guide/setup/` rather than `guide/setup.html`. */
  useDirectoryUrls: boolean;
  /** Titles from the navigation, by the path of the page in `docsDir`. */
  titles: Map<string, string>;
}

/**
 * Reads `mkdocs.yml`; an empty text gives MkDocs' defaults. Python tags, which many configurations
 * have, are passed over, never evaluated.
 *
 * @throws an error that says the line when the text is no YAML.
 */
export function parseMkdocsConfig(yaml: string): MkdocsConfig {
  // As PyYAML reads it: of equal keys the last counts, and `no` and `off` are booleans.
  const document = parseDocument(yaml, { version: '1.1', uniqueKeys: false, logLevel: 'silent' });
  const [problem] = document.errors;
  if (problem) {
    throw problem;
  }
  const config: Record<string, unknown> = Object(document.toJS());
  const titles = new Map<string, string>();
  collectTitles(config.nav, titles);
  return {
    docsDir: typeof config.docs_dir === 'string' ? config.docs_dir : 'docs',
    useDirectoryUrls: config.use_directory_urls !== false,
    titles,
  };
}

/** A navigation is a list of pages, `{ title: page }` and `{ title: navigation }`. */
function collectTitles(navigation: unknown, titles: Map<string, string>): void {
  if (!Array.isArray(navigation)) {
    return;
  }
  for (const item of navigation) {
    const entries = typeof item === 'object' && item !== null ? Object.entries(item) : [];
    for (const [title, target] of entries) {
      if (typeof target === 'string') {
        titles.set(target.replace(/^\.?\//, ''), title);
      } else {
        collectTitles(target, titles);
      }
    }
  }
}
