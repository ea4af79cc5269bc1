import { describe, expect, it } from 'vitest';
import { parseSearchIndex, type SearchIndexEntry } from './searchIndex';
import { sectionsOfSearchIndex } from './siteSections';

const ROOT = '/docs/default/component/petstore';

/** As MkDocs' own plugin writes it. */
const PLAIN = { indexing: 'full', lang: ['en'], min_search_length: 3, prebuild_index: false };
/** As Material's plugin writes it. */
const HTML = { lang: ['en'], separator: '[\\s\\-]+', pipeline: ['stopWordFilter'] };

function sectionsOf(config: Record<string, unknown> | undefined, docs: SearchIndexEntry[]) {
  return sectionsOfSearchIndex({ config, docs }, ROOT);
}

describe('sectionsOfSearchIndex', () => {
  it('takes of a page only what is in none of its sections', () => {
    const docs = [
      {
        location: 'guide/',
        title: '[Guide](https://example.com)',
        text: 'Before all. Install Run npm install. Plans & <plan> Use an array<string>. Loose end.',
      },
      { location: 'guide/#install', title: 'Install', text: 'Run npm  install.' },
      {
        location: 'guide/#plans',
        title: 'Plans &amp; &lt;plan&gt;',
        text: 'Use an array<string>.',
      },
    ];
    expect(sectionsOf(PLAIN, docs)).toEqual([
      { headingPath: ['Guide'], text: 'Before all. Loose end.', location: `${ROOT}/guide/` },
      {
        headingPath: ['Guide', 'Install'],
        text: 'Run npm  install.',
        location: `${ROOT}/guide/#install`,
      },
      {
        headingPath: ['Guide', 'Plans & <plan>'],
        text: 'Use an array\\<string>.',
        location: `${ROOT}/guide/#plans`,
      },
    ]);
  });

  it('has no section for a page that its sections repeat, nor for an empty one', () => {
    const docs = [
      { location: '', title: 'Home', text: 'Home Hello. Empty' },
      { location: '#home', title: 'Home', text: 'Hello.' },
      { location: '#empty', title: 'Empty', text: '' },
    ];
    expect(sectionsOf(PLAIN, docs)).toEqual([
      { headingPath: ['Home'], text: 'Hello.', location: `${ROOT}/#home` },
    ]);
  });

  it('loses nothing when a section is not found in the page', () => {
    const docs = [
      { location: 'a/', title: 'A', text: 'One Two Three' },
      { location: 'a/#b', title: 'B', text: 'something else' },
    ];
    expect(sectionsOf(PLAIN, docs).map(({ text }) => text)).toEqual([
      'One Two Three',
      'something else',
    ]);
  });

  it('keeps a page without sections, and sections without a page', () => {
    const docs = [
      { location: 'a/', title: 'A', text: 'Text of a.' },
      { location: 'b/#c', title: 'C', text: 'Text of c.' },
    ];
    expect(sectionsOf(PLAIN, docs).map(({ headingPath }) => headingPath)).toEqual([['A'], ['C']]);
  });

  it('reads the HTML of Material', () => {
    const docs = [
      { location: 'a/', title: 'A', text: '<p>Use <code>array&lt;T&gt;</code> &amp; more.</p>' },
      { location: 'a/#b', title: 'The <code>b</code>', text: '<pre><code>x &lt; y\n</code></pre>' },
    ];
    expect(sectionsOf(HTML, docs)).toEqual([
      { headingPath: ['A'], text: 'Use `array<T>` \\& more.', location: `${ROOT}/a/` },
      { headingPath: ['A', 'The b'], text: '```\nx < y\n```', location: `${ROOT}/a/#b` },
    ]);
  });

  it.each([
    ['HTML', '<p>One <b>two</b>.</p>', 'One two.'],
    ['plain text', 'One <b>two</b>.', 'One \\<b>two\\</b>.'],
    ['plain text', '<p> is a paragraph', '\\<p> is a paragraph'],
  ])('takes an index without a configuration for %s by its texts: %s', (_, text, expected) => {
    expect(sectionsOf(undefined, [{ location: '', title: 'A', text }])[0]?.text).toBe(expected);
  });

  it('reads a page of 2,000 sections that are not found in no time to speak of', () => {
    const text = 'word '.repeat(100_000);
    const docs = Array.from({ length: 2_000 }, (_, index) => ({
      location: `#${index}`,
      title: `Section ${index}`,
      text: 'other text',
    }));
    expect(sectionsOf(PLAIN, [{ location: '', title: 'A', text }, ...docs])).toHaveLength(2_001);
  });
});

describe('parseSearchIndex', () => {
  it('takes what is usable', () => {
    const docs = [{ location: 'a/', text: 'x' }, { title: 'no location' }, null, 'text'];
    expect(parseSearchIndex({ docs })).toEqual({
      docs: [{ location: 'a/', title: '', text: 'x' }],
    });
  });

  it.each([
    { json: undefined },
    { json: null },
    { json: [] },
    { json: {} },
    { json: { docs: {} } },
    { json: 'text' },
  ])('refuses $json', ({ json }) => {
    expect(parseSearchIndex(json)).toBeUndefined();
  });
});
