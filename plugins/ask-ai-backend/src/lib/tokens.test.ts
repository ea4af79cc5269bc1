import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateTokens, MOST_TOKENS_PER_CHARACTER } from './tokens';

/** Texts with what cl100k and WordPiece (BERT, uncased) count for them. */
const COUNTED = [
  {
    text: 'The plugin reads the catalog and answers questions about the components in it.',
    cl100k: 14,
    wordPiece: 15,
  },
  {
    text: "import { createBackend } from '@backstage/backend-defaults';\nconst backend = createBackend();\n",
    cl100k: 19,
    wordPiece: 29,
  },
  {
    text: '服务目录是一个集中式系统，用于跟踪生态系统中所有软件的所有权和元数据。',
    cl100k: 31,
    wordPiece: 35,
  },
  { text: '| name | default |\n| --- | --- |\n| `chunkSize` | 200 |', cl100k: 19, wordPiece: 22 },
];

const seed = 20_261;

describe('estimateTokens', () => {
  it.each(COUNTED)('is between the largest count and twice as much for $text', each => {
    const largest = Math.max(each.cl100k, each.wordPiece);
    expect(estimateTokens(each.text)).toBeGreaterThanOrEqual(largest);
    expect(estimateTokens(each.text)).toBeLessThanOrEqual(2 * largest);
  });

  it('counts nothing for an empty text and for single blanks', () => {
    expect(estimateTokens('')).toBe(0);
    expect(estimateTokens(' ')).toBe(0);
  });

  it('never counts more for a character than it says (500 cases)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        expect(estimateTokens(text)).toBeLessThanOrEqual(
          Math.ceil(text.length * MOST_TOKENS_PER_CHARACTER),
        );
      }),
      { seed, numRuns: 500 },
    );
  });

  it('counts for joined texts at most the sum and one for the break (500 cases)', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(text, text, (first, second) => {
        const sum = estimateTokens(first) + estimateTokens(second);
        expect(estimateTokens(first + second)).toBeLessThanOrEqual(sum);
        expect(estimateTokens(`${first} ${second}`)).toBeLessThanOrEqual(sum + 1);
        expect(estimateTokens(`${first}\n\n${second}`)).toBeLessThanOrEqual(sum + 1);
      }),
      { seed, numRuns: 500 },
    );
  });
});
