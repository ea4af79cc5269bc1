import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../lib/tokens';
import { type ChunkableDocument, chunkDocument } from './chunk';

const RUNS = { seed: 20_263, numRuns: 200 };

/** Words that the chunker must keep: no HTML names, which would be tags in angle brackets. */
const word = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[a-z]{2,9}[0-9]{0,3}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'backend.auth.externalAccess',
      'ERR_MODULE',
      'größe',
      '服务目录',
      'e.g.',
    ),
  },
);
const line = fc.array(word, { minLength: 1, maxLength: 20 }).map(words => words.join(' '));
const paragraph = fc
  .array(line, { minLength: 1, maxLength: 6 })
  .map(lines => lines.map(each => `${each[0]?.toUpperCase()}${each.slice(1)}.`).join(' '));
const code = fc
  .tuple(fc.constantFrom('', 'yaml', 'ts'), fc.array(line, { minLength: 1, maxLength: 20 }))
  .map(([language, lines]) => `\`\`\`${language}\n${lines.join('\n')}\n\`\`\``);
const table = fc
  .tuple(word, word, fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 20 }))
  .map(([a, b, rows]) =>
    [`| ${a} | ${b} |`, '| --- | --- |', ...rows.map(([c, d]) => `| ${c} | ${d} |`)].join('\n'),
  );
const list = fc
  .array(fc.oneof(line, paragraph), { minLength: 1, maxLength: 10 })
  .map(items => items.map(item => `- ${item}`).join('\n'));
const section = fc
  .array(fc.oneof(paragraph, paragraph, code, table, list), { maxLength: 8 })
  .map(blocks => blocks.join('\n\n'));
const sections = fc.array(section, { minLength: 1, maxLength: 5 });
const sizes = fc
  .tuple(fc.integer({ min: 24, max: 300 }), fc.double({ min: 0, max: 0.95, noNaN: true }))
  .map(([chunkSize, share]) => ({ chunkSize, chunkOverlap: Math.floor(chunkSize * share) }));

function documentOf(texts: string[]): ChunkableDocument {
  return {
    entityId: 'component:default/petstore',
    entityName: 'Petstore',
    source: 'techdocs',
    sections: texts.map((text, index) => ({
      headingPath: [`Section ${index}`],
      text,
      location: `#${index}`,
    })),
  };
}

function wordsOf(text: string): Set<string> {
  return new Set(text.match(/[\p{L}\p{N}]+/gu));
}

describe('chunkDocument', () => {
  it('keeps every word of a section in its own chunks (200 cases)', () => {
    fc.assert(
      fc.property(sections, sizes, (texts, options) => {
        const chunks = chunkDocument(documentOf(texts), options);
        texts.forEach((text, index) => {
          const own = chunks.filter(({ metadata }) => metadata.location === `#${index}`);
          const kept = wordsOf(own.map(({ content }) => content).join('\n'));
          expect([...wordsOf(text)].filter(each => !kept.has(each))).toEqual([]);
        });
      }),
      RUNS,
    );
  });

  it('never makes a chunk above the limit, an empty one, or one twice (200 cases)', () => {
    fc.assert(
      fc.property(sections, sizes, (texts, options) => {
        const chunks = chunkDocument(documentOf(texts), options);
        for (const { content } of chunks) {
          expect(estimateTokens(content)).toBeLessThanOrEqual(options.chunkSize);
          expect(content.trim()).not.toBe('');
        }
        expect(new Set(chunks.map(({ id }) => id)).size).toBe(chunks.length);
        expect(chunks.map(({ metadata }) => metadata.chunkIndex)).toEqual([...chunks.keys()]);
      }),
      RUNS,
    );
  });

  it('takes any text at all (500 cases)', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc
        .array(
          fc.constantFrom(
            '`',
            '```\n',
            '|',
            '- ',
            '\n',
            '# ',
            '<',
            '>',
            '!',
            '[',
            '](',
            '\\',
            'a',
            '&lt;',
          ),
          {
            maxLength: 200,
          },
        )
        .map(parts => parts.join('')),
    );
    fc.assert(
      fc.property(text, fc.integer({ min: 16, max: 64 }), (each, chunkSize) => {
        const chunks = chunkDocument(documentOf([each]), { chunkSize, chunkOverlap: 4 });
        for (const { content } of chunks) {
          expect(estimateTokens(content)).toBeLessThanOrEqual(chunkSize);
          expect(content).not.toMatch(/\0|\p{Surrogate}/u);
        }
      }),
      { ...RUNS, numRuns: 500 },
    );
  });

  it('gives the same chunks again (50 cases)', () => {
    fc.assert(
      fc.property(sections, sizes, (texts, options) => {
        const document = documentOf(texts);
        expect(chunkDocument(document, options)).toEqual(chunkDocument(document, options));
      }),
      { ...RUNS, numRuns: 50 },
    );
  });

  it('changes only the chunks of the section that changed (200 cases)', () => {
    fc.assert(
      fc.property(sections, section, fc.nat(), sizes, (texts, replacement, position, options) => {
        const changed = position % texts.length;
        const idsOf = (document: ChunkableDocument) =>
          chunkDocument(document, options)
            .filter(({ metadata }) => metadata.location !== `#${changed}`)
            .map(({ id }) => id);
        expect(idsOf(documentOf(texts.with(changed, replacement)))).toEqual(
          idsOf(documentOf(texts)),
        );
      }),
      RUNS,
    );
  });

  it('repeats nothing of one section in another (200 cases)', () => {
    fc.assert(
      fc.property(sections, sizes, (texts, options) => {
        const marked = texts.map((text, index) =>
          text.replace(/[a-z]{2,}/g, each => `${each}${'xyzuv'[index]}`),
        );
        for (const { content, metadata } of chunkDocument(documentOf(marked), options)) {
          const own = wordsOf(marked[Number(metadata.location?.slice(1))] ?? '');
          expect([...wordsOf(content)].filter(each => !own.has(each))).toEqual([]);
        }
      }),
      RUNS,
    );
  });

  it('repeats at most the overlap, and always goes on (200 cases)', () => {
    fc.assert(
      fc.property(
        fc.array(paragraph, { minLength: 1, maxLength: 8 }),
        sizes,
        (paragraphs, options) => {
          let counter = 0;
          // Every word is unique, so that what is repeated can be told.
          const text = paragraphs
            .join('\n\n')
            .replace(/[\p{L}\p{N}.]*[\p{L}\p{N}]/gu, () => `w${counter++}`);
          const chunks = chunkDocument(documentOf([text]), options);
          chunks.slice(1).forEach(({ content }, index) => {
            const before = wordsOf(chunks[index]?.content ?? '');
            const repeated = [...wordsOf(content)].filter(each => before.has(each));
            expect(estimateTokens(repeated.join(' '))).toBeLessThanOrEqual(options.chunkOverlap);
            expect(wordsOf(content).size).toBeGreaterThan(repeated.length);
          });
        },
      ),
      RUNS,
    );
  });
});
