import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wrapText } from './wrapText';

describe('wrapText', () => {
  it('breaks prose between words', () => {
    expect(wrapText('one two three four', 9)).toBe('one two\nthree\nfour');
  });

  it('indents what belongs to a list item', () => {
    expect(wrapText('  - one two three', 9)).toBe('  - one\n    two\n    three');
    expect(wrapText('12. one two', 7)).toBe('12. one\n    two');
  });

  it('fills paragraphs and list items anew', () => {
    expect(wrapText('one\ntwo three\n\n- four\n  five\n- six', 9)).toBe(
      'one two\nthree\n\n- four\n  five\n- six',
    );
  });

  it('keeps code blocks, tables and long words', () => {
    const text = '```\na b c d e f g h\n```\n| a | b | c | d |\nhttps://example.com/long';
    expect(wrapText(text, 8)).toBe(text);
  });

  it('does not touch a text when lines may be of any length', () => {
    expect(wrapText('a  b\n\nc', Number.POSITIVE_INFINITY)).toBe('a  b\n\nc');
  });

  it('keeps every word in its order, and lines short (200 cases)', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(words, fc.integer({ min: 10, max: 60 }), (list, columns) => {
        const lines = wrapText(list.join(' '), columns).split('\n');
        expect(lines.join(' ').split(/\s+/)).toEqual(list);
        expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(columns);
      }),
      { seed: 20, numRuns: 200 },
    );
  });
});
