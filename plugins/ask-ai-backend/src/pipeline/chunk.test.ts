import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors';
import { estimateTokens } from '../lib/tokens';
import { type ChunkableDocument, chunkDocument, embeddingText } from './chunk';

const SIZES = { chunkSize: 60, chunkOverlap: 15 };

function documentOf(...texts: string[]): ChunkableDocument {
  return {
    entityId: 'component:default/petstore',
    entityName: 'Petstore',
    source: 'techdocs',
    sections: texts.map((text, index) => ({
      headingPath: ['Guide', `Section ${index}`],
      text,
      location: `/docs/default/component/petstore/guide/#section-${index}`,
    })),
  };
}

function contentsOf(text: string, sizes = SIZES): string[] {
  return chunkDocument(documentOf(text), sizes).map(({ content }) => content);
}

const sentences = (count: number) =>
  Array.from({ length: count }, (_, index) => `Sentence ${index} tells about the pets.`).join(' ');

describe('chunkDocument', () => {
  it('gives every section its own chunks, with its heading path and its link', () => {
    expect(chunkDocument(documentOf('First.', 'Second.'), SIZES)).toMatchObject([
      {
        id: expect.stringMatching(/^component:default\/petstore\/techdocs\/[0-9a-f]{16}$/),
        entityId: 'component:default/petstore',
        entityName: 'Petstore',
        content: 'First.',
        metadata: {
          source: 'techdocs',
          chunkIndex: 0,
          totalChunks: 2,
          title: 'Guide › Section 0',
          location: '/docs/default/component/petstore/guide/#section-0',
        },
      },
      { content: 'Second.', metadata: { chunkIndex: 1, title: 'Guide › Section 1' } },
    ]);
  });

  it('has no chunk for a section without a word', () => {
    expect(
      chunkDocument(documentOf('', ' \n', '---', '<!-- note -->', '![logo](x.png)'), SIZES),
    ).toEqual([]);
  });

  it('keeps equal chunks once', () => {
    const document = documentOf('Same.', 'Same.');
    const sections = document.sections.map(section => ({ ...section, headingPath: ['Guide'] }));
    const chunks = chunkDocument({ ...document, sections }, SIZES);
    expect(chunks).toHaveLength(1);
    expect(chunks[0]?.metadata).toMatchObject({ totalChunks: 1, location: sections[0]?.location });
  });

  it('cuts prose between sentences, and repeats the last ones', () => {
    const contents = contentsOf(sentences(20));
    expect(contents.length).toBeGreaterThan(3);
    for (const [index, content] of contents.entries()) {
      expect(content).toMatch(/^Sentence \d+ tells.*pets\.$/);
      const last = /Sentence \d+ tells about the pets\.$/.exec(content)?.[0] ?? '';
      expect(contents[index + 1] ?? last).toContain(last);
    }
  });

  it('makes chunks of about equal size rather than a short last one', () => {
    const sizes = contentsOf(sentences(8), { chunkSize: 60, chunkOverlap: 0 }).map(estimateTokens);
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.min(...sizes)).toBeGreaterThan(Math.max(...sizes) / 2);
  });

  it('keeps code and tables whole where they fit', () => {
    const code = '```yaml\nfirst: 1\n\nsecond: 2\n```';
    const table = '| name | default |\n| --- | --- |\n| size | 200 |';
    const contents = contentsOf(
      `${sentences(5)}\n\n${code}\n\n${sentences(5)}\n\n${table}\n\n${sentences(5)}`,
    );
    expect(contents.filter(content => content.includes(code))).toHaveLength(1);
    expect(contents.filter(content => content.includes(table))).toHaveLength(1);
    expect(contents.filter(content => content.includes('first: 1'))).toHaveLength(1);
  });

  it('cuts long code at its lines and fences every piece', () => {
    const lines = Array.from({ length: 40 }, (_, index) => `key${index}: value`);
    const contents = contentsOf(['```yaml', ...lines, '```'].join('\n'));
    expect(contents.length).toBeGreaterThan(2);
    for (const content of contents) {
      expect(content).toMatch(/^```yaml\n(?:key\d+: value\n)+```$/);
    }
  });

  it('repeats the head of a table that is cut', () => {
    const rows = Array.from({ length: 40 }, (_, index) => `| row ${index} | value |`);
    const contents = contentsOf(['| name | default |', '| --- | --- |', ...rows].join('\n'));
    expect(contents.length).toBeGreaterThan(2);
    for (const content of contents) {
      expect(content).toMatch(
        /^\| name \| default \|\n\| --- \| --- \|\n(?:\| row \d+ \| value \|\n?)+$/,
      );
    }
  });

  it('cuts long lists at their items, and long items at their blocks', () => {
    const items = Array.from({ length: 12 }, (_, index) => `- Item ${index} of the list`);
    for (const content of contentsOf(items.join('\n'), { chunkSize: 40, chunkOverlap: 0 })) {
      expect(content).toMatch(/^(?:- Item \d+ of the list\n?)+$/);
    }
    const contents = contentsOf(
      `1. ${sentences(6)}\n\n   \`\`\`sh\n   npm test\n   \`\`\`\n2. Last.`,
    );
    expect(contents.some(content => content.includes('```sh\nnpm test\n```'))).toBe(true);
  });

  it('cuts a text on one line, words of any length and text without spaces', () => {
    for (const text of [
      sentences(500),
      'a'.repeat(5_000),
      '服务目录。'.repeat(500),
      '👩‍💻'.repeat(500),
    ]) {
      for (const chunk of chunkDocument(documentOf(`start ${text} end`), SIZES)) {
        expect(estimateTokens(chunk.content)).toBeLessThanOrEqual(SIZES.chunkSize);
        expect(chunk.content.isWellFormed?.() ?? true).toBe(true);
      }
    }
  });

  it('removes what PostgreSQL refuses', () => {
    const [chunk] = chunkDocument(
      { ...documentOf('a\0b\ud800c\u0007d'), entityName: 'Pet\0store' },
      SIZES,
    );
    expect(chunk).toMatchObject({ content: 'a b\ufffdc d', entityName: 'Pet store' });
  });

  it('gives a chunk the same id wherever it stands, and another one when it is embedded anew', () => {
    const document = documentOf('First.', 'Second.');
    const idOf = (each: ChunkableDocument) => chunkDocument(each, SIZES).at(-1)?.id;
    const moved = { ...document, sections: document.sections.slice(1) };
    expect(idOf(moved)).toBe(idOf(document));
    expect(idOf({ ...document, entityName: 'Pet Store' })).not.toBe(idOf(document));
  });

  it.each([
    [{ chunkSize: 15, chunkOverlap: 0 }, /askAi.chunkSize to be an integer of at least 16, got 15/],
    [{ chunkSize: 16.5, chunkOverlap: 0 }, /askAi.chunkSize/],
    [{ chunkSize: 100, chunkOverlap: 100 }, /less than askAi.chunkSize, which is 100, got 100/],
    [{ chunkSize: 100, chunkOverlap: -1 }, /askAi.chunkOverlap/],
  ])('refuses %j', (sizes, message) => {
    const chunk = () => chunkDocument(documentOf('Text.'), sizes);
    expect(chunk).toThrow(ConfigurationError);
    expect(chunk).toThrow(message);
  });

  it('stays linear on a line of a megabyte', () => {
    // A quadratic step on these would take minutes, so a bound of seconds can't fail by load.
    const start = performance.now();
    for (const text of [
      'word '.repeat(200_000),
      `a${' '.repeat(1_000_000)}b`,
      '<'.repeat(1_000_000),
    ]) {
      chunkDocument(documentOf(text), { chunkSize: 200, chunkOverlap: 30 });
    }
    expect(performance.now() - start).toBeLessThan(14_000);
  });
});

describe('embeddingText', () => {
  it('begins with what the chunk is about', () => {
    const [chunk] = chunkDocument(documentOf('Text.'), SIZES);
    expect(chunk && embeddingText(chunk)).toBe('Petstore › Guide › Section 0\nText.');
  });
});
