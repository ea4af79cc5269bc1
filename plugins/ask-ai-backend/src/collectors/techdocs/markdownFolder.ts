import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { isChildPath, resolveSafeChildPath } from '@backstage/backend-plugin-api';
import type { DocumentSection } from 'backstage-plugin-ask-ai-node';
import { parseMkdocsConfig } from './mkdocsConfig';
import { sectionsOfPage, urlOfPage } from './pageSections';

const CONFIG_FILES = ['mkdocs.yaml', 'mkdocs.yml'];

/** Extensions of the pages of MkDocs. */
const PAGE = /\.(?:md|markdown|mdown|mkdn|mkd)$/;

/** Bytes. A longer page was generated, and nobody reads it. */
const LARGEST_PAGE = 8 * 1024 * 1024;

/** Whether a file of a repository is needed to read its documentation. */
export function isDocumentationFile(path: string): boolean {
  return PAGE.test(path) || CONFIG_FILES.includes(path.split('/').at(-1) ?? '');
}

/**
 * The sections of a site that was not built: of all Markdown pages in the folder that `mkdocs.yml`
 * names, in the order of their paths.
 *
 * @param root - where the site lies in the portal.
 * @throws when the folder has no documentation.
 */
export async function sectionsOfFolder(folder: string, root: string): Promise<DocumentSection[]> {
  const config = parseMkdocsConfig(await readFirst(folder, CONFIG_FILES));
  const docsFolder = resolveSafeChildPath(folder, config.docsDir);
  const paths = await pagesIn(docsFolder);
  const sections: DocumentSection[] = [];
  for (const { path, file } of await withIndex(paths, docsFolder, folder)) {
    const page = { path, markdown: await readText(file), title: config.titles.get(path) };
    sections.push(...sectionsOfPage(page, urlOfPage(path, config.useDirectoryUrls), root));
  }
  return sections;
}

interface PageFile {
  /** Relative to the folder of the documentation, with `/`. */
  path: string;
  file: string;
}

/** TechDocs takes the README of the repository for the first page when there is no other. */
async function withIndex(
  pages: PageFile[],
  docsFolder: string,
  folder: string,
): Promise<PageFile[]> {
  const paths = new Set(pages.map(({ path }) => path));
  // MkDocs has one index a folder.
  const built = pages.filter(
    ({ path }) =>
      !/(?:^|\/)README\.md$/.test(path) || !paths.has(path.replace(/README\.md$/, 'index.md')),
  );
  if (paths.has('index.md') || paths.has('README.md')) {
    return built;
  }
  for (const name of [
    join(docsFolder, 'readme.md'),
    join(folder, 'README.md'),
    join(folder, 'readme.md'),
  ]) {
    if (isChildPath(folder, name) && (await isFile(name))) {
      return [{ path: 'index.md', file: name }, ...built.filter(({ file }) => file !== name)];
    }
  }
  if (built.length === 0) {
    throw new Error(
      `it has no Markdown in ${relative(folder, docsFolder) || '.'} and no README.md`,
    );
  }
  return built;
}

/** Links are not followed: they may lead out of the folder. Hidden files are no pages. */
async function pagesIn(docsFolder: string): Promise<PageFile[]> {
  const entries = await readdir(docsFolder, { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  const files = entries
    .filter(entry => entry.isFile() && PAGE.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .map(file => ({ file, path: relative(docsFolder, file).split(sep).join('/') }))
    .filter(({ path }) => !path.split('/').some(part => part.startsWith('.')));
  const pages: PageFile[] = [];
  for (const page of files.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    if ((await stat(page.file)).size <= LARGEST_PAGE) {
      pages.push(page);
    }
  }
  return pages;
}

async function readFirst(folder: string, names: string[]): Promise<string> {
  for (const name of names) {
    if (await isFile(join(folder, name))) {
      return readText(join(folder, name));
    }
  }
  return '';
}

/** Editors of Windows begin a file with a byte order mark, which is no part of its text. */
async function readText(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    stats => stats.isFile(),
    () => false,
  );
}
