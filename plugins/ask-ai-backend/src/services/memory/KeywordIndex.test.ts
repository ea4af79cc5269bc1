import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopK } from '../../lib/topK';
import { KeywordIndex } from './KeywordIndex';

const WORDS = ['alpha', 'beta', 'gamma', 'delta', 'the', 'backend.auth'];

function find(
  index: KeywordIndex,
  question: string,
  accepts: (row: number) => boolean = () => true,
) {
  const top = new TopK(1_000, (a, b) => a < b);
  index.offerMatches(question, top, accepts);
  return top.best();
}

/** Rows and their texts, as an index that never forgot anything would have them. */
function indexOf(texts: ReadonlyMap<number, string>): KeywordIndex {
  const index = new KeywordIndex();
  for (const [row, text] of [...texts].sort(([a], [b]) => a - b)) {
    index.add(row, text);
  }
  return index;
}

describe('KeywordIndex', () => {
  it('ranks by how rare a word is, how often it is there and how long the text is', () => {
    const index = indexOf(
      new Map([
        [0, 'alpha beta beta'],
        [1, 'alpha beta'],
        [2, 'alpha'],
        [3, 'alpha beta delta delta delta delta delta delta'],
        [4, 'gamma'],
      ]),
    );
    expect(find(index, 'beta').map(({ item }) => item)).toEqual([0, 1, 3]);
    expect(find(index, 'alpha gamma')[0]?.item).toBe(4);
  });

  it('gives the BM25 score', () => {
    const index = indexOf(
      new Map([
        [0, 'alpha beta'],
        [1, 'beta'],
      ]),
    );
    // One of two texts holds the word, once; it has two words, and 1.5 is the average.
    const rarity = Math.log(1 + (2 - 1 + 0.5) / (1 + 0.5));
    const norm = 1.2 * (0.25 + (0.75 * 2) / 1.5);
    expect(find(index, 'alpha')).toEqual([
      { item: 0, score: expect.closeTo((rarity * 2.2) / (1 + norm), 12) },
    ]);
  });

  it('counts how rare a word is over all rows, also those that are not accepted', () => {
    const index = indexOf(
      new Map([
        [0, 'alpha'],
        [1, 'alpha'],
        [2, 'beta'],
      ]),
    );
    const [all] = find(index, 'alpha');
    expect(find(index, 'alpha', row => row === 0)).toEqual([all]);
  });

  it('ranks an identifier above its words, in a text of equal length', () => {
    for (const identifier of [
      'backend.auth.externalAccess',
      'ERR_NOT_FOUND',
      '@scope/pkg',
      '/etc/a.yaml',
    ]) {
      const apart = identifier.replace(/[^A-Za-z]+/g, ' ');
      const index = indexOf(
        new Map([
          [0, `Set ${apart} first`],
          [1, `Set ${identifier} first`],
        ]),
      );
      const hits = find(index, `how to set ${identifier}`);
      expect(
        hits.map(({ item }) => item),
        identifier,
      ).toEqual([1, 0]);
    }
  });

  it('after any changes ranks as an index that was built anew (200 cases)', () => {
    const changes = fc.array(
      fc.record({
        row: fc.integer({ min: 0, max: 9 }),
        words: fc.option(fc.array(fc.constantFrom(...WORDS), { maxLength: 6 }), { nil: undefined }),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(changes, steps => {
        const index = new KeywordIndex();
        const texts = new Map<number, string>();
        for (const { row, words } of steps) {
          index.remove(row);
          texts.delete(row);
          if (words) {
            index.add(row, words.join(' '));
            texts.set(row, words.join(' '));
          }
        }
        for (const question of ['alpha', 'beta gamma the', 'backend.auth alpha']) {
          expect(find(index, question)).toEqual(find(indexOf(texts), question));
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('drops what is outdated, and ranks the same before and after', () => {
    const index = new KeywordIndex();
    const texts = new Map<number, string>();
    const versions = 5_000;
    for (let version = 0; version < versions; version++) {
      const row = version % 20;
      const text = `version${version} ${WORDS[version % 5]} ${WORDS[(version * 7) % 6]}`;
      index.remove(row);
      index.add(row, text);
      texts.set(row, text);
    }
    for (const question of ['alpha', 'delta beta', `version${versions - 1}`]) {
      expect(find(index, question)).toEqual(find(indexOf(texts), question));
    }
    expect(find(index, 'version0')).toEqual([]);
    expect(index.versionCount).toBeLessThan(versions / 2);
  });
});
