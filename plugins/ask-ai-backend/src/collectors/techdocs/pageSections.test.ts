import { describe, expect, it } from 'vitest';
import { sectionsOfPage, urlOfPage } from './pageSections';

const ROOT = '/docs/default/component/petstore';

const PAGE = `---
title: "Guide to pets"
---
Before all.

# Guide

Intro.

## Install & run

\`\`\`sh
# no heading
npm install
\`\`\`

### On Windows

Text.

## Usage
`;

describe('sectionsOfPage', () => {
  it('puts every text under its headings, with the link of MkDocs', () => {
    const page = { path: 'guide.md', markdown: PAGE };
    const location = `${ROOT}/guide/`;
    expect(sectionsOfPage(page, 'guide/', ROOT)).toEqual([
      { headingPath: ['Guide to pets'], text: 'Before all.', location },
      { headingPath: ['Guide to pets', 'Guide'], text: 'Intro.', location: `${location}#guide` },
      {
        headingPath: ['Guide to pets', 'Guide', 'Install & run'],
        text: '```sh\n# no heading\nnpm install\n```',
        location: `${location}#install-run`,
      },
      {
        headingPath: ['Guide to pets', 'Guide', 'Install & run', 'On Windows'],
        text: 'Text.',
        location: `${location}#on-windows`,
      },
    ]);
  });

  it.each([
    ['front matter', '---\ntitle: Setup\ntags:\n  - a\n\n# c\n---\n\nText', 'Text'],
    ['a list between rules', '---\n\n- Call\n\n---\n\nText', '---\n\n- Call\n\n---\n\nText'],
  ])('begins after %s only when it is front matter', (_, markdown, text) => {
    expect(sectionsOfPage({ path: 'a.md', markdown }, '', ROOT)[0]?.text).toBe(text);
  });

  it.each([
    ['the navigation', { path: 'a.md', markdown: '---\ntitle: T\n---\n# H\n\nx', title: 'N' }, 'N'],
    ['the front matter', { path: 'a.md', markdown: '---\ntitle: T\n---\n# H\n\nx' }, 'T'],
    ['the first heading', { path: 'a.md', markdown: '# The `h` *1*\n\nx' }, 'The h 1'],
    ['the name of the file', { path: 'b/how_to-run.md', markdown: '## H\n\nx' }, 'How to run'],
    ['a name with capitals', { path: 'API.md', markdown: 'x' }, 'API'],
    ['the place of the file', { path: 'b/index.md', markdown: 'x' }, 'Home'],
  ])('takes the title from %s', (_, page, title) => {
    expect(sectionsOfPage(page, '', ROOT)[0]?.headingPath[0]).toBe(title);
  });
});

describe('urlOfPage', () => {
  it.each([
    ['index.md', '', 'index.html'],
    ['README.md', '', 'index.html'],
    ['guide/setup.md', 'guide/setup/', 'guide/setup.html'],
    ['guide/index.md', 'guide/', 'guide/index.html'],
    ['guide/a b.markdown', 'guide/a%20b/', 'guide/a%20b.html'],
    ['v1.2.md', 'v1.2/', 'v1.2.html'],
  ])('of %s is %j, or %j without folders', (path, withFolders, without) => {
    expect(urlOfPage(path, true)).toBe(withFolders);
    expect(urlOfPage(path, false)).toBe(without);
  });
});
