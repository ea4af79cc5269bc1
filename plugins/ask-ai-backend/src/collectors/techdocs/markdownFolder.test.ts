import { symlink } from 'node:fs/promises';
import { createMockDirectory } from '@backstage/backend-test-utils';
import { beforeEach, describe, expect, it } from 'vitest';
import { isDocumentationFile, sectionsOfFolder } from './markdownFolder';

const ROOT = '/docs/default/component/petstore';

describe('sectionsOfFolder', () => {
  const folder = createMockDirectory();

  beforeEach(() => folder.clear());

  async function read(): Promise<string[]> {
    const sections = await sectionsOfFolder(folder.path, ROOT);
    return sections.map(
      ({ headingPath, location }) => `${headingPath.join('/')} ${location.slice(ROOT.length)}`,
    );
  }

  it('reads the pages of the folder that mkdocs.yml names, with the titles of its navigation', async () => {
    folder.setContent({
      'mkdocs.yml': [
        'site_name: Petstore',
        'docs_dir: pages',
        'plugins: [techdocs-core]',
        'markdown_extensions:',
        '  - pymdownx.emoji:',
        '      emoji_generator: !!python/name:materialx.emoji.to_svg',
        'nav:',
        '  - Start: index.md',
        '  - More:',
        '      - Second: ./more/second.md',
      ].join('\n'),
      pages: {
        'index.md': 'Hello.',
        '.hidden.md': 'no',
        'picture.png': 'no',
        more: { 'second.md': '# Heading\n\nText.', 'third.md': '# Third\n\nText.' },
      },
      docs: { 'index.md': 'no' },
    });
    expect(await read()).toEqual([
      'Start /',
      'Second/Heading /more/second/#heading',
      'Third /more/third/#third',
    ]);
  });

  it('names pages without folders when mkdocs.yml says so', async () => {
    folder.setContent({
      'mkdocs.yaml': 'use_directory_urls: false',
      docs: { 'index.md': 'Hello.', 'a.md': 'Text.' },
    });
    expect(await read()).toEqual(['A /a.html', 'Home /index.html']);
  });

  it.each(['no', 'off', 'False'])('takes use_directory_urls: %s for a boolean', async value => {
    folder.setContent({
      'mkdocs.yml': `use_directory_urls: ${value}`,
      docs: { 'a.md': 'Text.' },
      'README.md': 'Hello.',
    });
    expect(await read()).toEqual(['Home /index.html', 'A /a.html']);
  });

  it('takes what MkDocs takes: equal keys, variables of the environment, Python tags', async () => {
    folder.setContent({
      'mkdocs.yml': [
        'site_name: Petstore',
        'site_name: !ENV [SITE_NAME, Petstore]',
        'strict: !ENV STRICT',
        'docs_dir: docs',
        'docs_dir: pages',
        'extra: &extra { a: 1 }',
        'theme: { <<: *extra, name: material, name: other }',
        'markdown_extensions:',
        '  - toc: { slugify: !!python/object/apply:pymdownx.slugs.slugify { kwds: { case: lower } } }',
        '  - pymdownx.superfences:',
        '      custom_fences:',
        '        - { name: mermaid, format: !!python/name:pymdownx.superfences.fence_code_format }',
        'nav: [{ Start: index.md }]',
      ].join('\n'),
      pages: { 'index.md': 'Hello.' },
    });
    expect(await read()).toEqual(['Start /']);
  });

  it('reads files that begin with a byte order mark', async () => {
    folder.setContent({
      'mkdocs.yml': '\uFEFFdocs_dir: pages',
      pages: {
        'a.md': '\uFEFF---\ntitle: A title\n---\nText.',
        'b.md': '\uFEFF# Heading\n\nText.',
      },
      'README.md': '\uFEFFHello.',
    });
    expect(await read()).toEqual(['Home /', 'A title /a/', 'Heading /b/#heading']);
  });

  it('needs no mkdocs.yml, and writes none', async () => {
    folder.setContent({ docs: { 'README.md': 'Hello.', 'b.md': 'Text.' } });
    expect(await read()).toEqual(['Home /', 'B /b/']);
    expect(Object.keys(folder.content() ?? {})).toEqual(['docs']);
  });

  it('has one first page a folder', async () => {
    folder.setContent({ docs: { 'README.md': 'no', 'index.md': 'Hello.' }, 'README.md': 'no' });
    expect(await read()).toEqual(['Home /']);
  });

  it('takes the README of the repository when there is no other first page', async () => {
    folder.setContent({ 'README.md': '# Petstore\n\nHello.', docs: { 'a.md': 'Text.' } });
    expect(await read()).toEqual(['Petstore /#petstore', 'A /a/']);
  });

  it('does not leave the folder', async () => {
    folder.setContent({ outside: { 'secret.md': 'no' }, site: { docs: { 'index.md': 'Hello.' } } });
    await symlink(folder.resolve('outside'), folder.resolve('site/docs/link'));
    await symlink(folder.resolve('outside/secret.md'), folder.resolve('site/docs/link.md'));
    expect(await sectionsOfFolder(folder.resolve('site'), ROOT)).toHaveLength(1);
    folder.addContent({ 'site/mkdocs.yml': 'docs_dir: ../outside' });
    await expect(sectionsOfFolder(folder.resolve('site'), ROOT)).rejects.toThrow(/not allowed/);
  });

  it('refuses a folder without documentation, and a mkdocs.yml that is no YAML', async () => {
    folder.setContent({ 'package.json': '{}' });
    await expect(read()).rejects.toThrow('it has no Markdown in docs and no README.md');
    folder.setContent({ 'mkdocs.yml': 'a: [1', docs: { 'index.md': 'x' } });
    await expect(read()).rejects.toThrow(/line 1/);
  });
});

describe('isDocumentationFile', () => {
  it.each(['docs/a.md', 'README.markdown', 'mkdocs.yml', 'sub/mkdocs.yaml'])('takes %s', path => {
    expect(isDocumentationFile(path)).toBe(true);
  });

  it.each(['a.ts', 'docs/a.md.png', 'catalog-info.yaml'])('leaves %s', path => {
    expect(isDocumentationFile(path)).toBe(false);
  });
});
