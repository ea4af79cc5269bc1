import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CitationFilter, checkCitations, citedNumbers } from './citations';

describe('checkCitations', () => {
  it.each([
    ['Tokens expire [1].', 'Tokens expire [1].'],
    ['Tokens expire [3].', 'Tokens expire.'],
    ['Tokens expire [1, 3].', 'Tokens expire [1].'],
    ['Tokens expire[2][9].', 'Tokens expire[2].'],
    ['Tokens expire [0].', 'Tokens expire.'],
    ['Tokens expire [1-2].', 'Tokens expire [1, 2].'],
    ['Tokens expire [1-9].', 'Tokens expire [1, 2].'],
    ['Tokens expire 【9】 and 【1】.', 'Tokens expire and [1].'],
    ['In code `items[7]` stays.', 'In code `items[7]` stays.'],
    ['```ts\nitems[7]\n```\nbut [7] goes', '```ts\nitems[7]\n```\nbut goes'],
    ['A fence that is open: ```\nitems[7]', 'A fence that is open: ```\nitems[7]'],
    ['A stray ` does not hide [7].', 'A stray ` does not hide.'],
    ['A link [7](https://example.com) stays.', 'A link [7](https://example.com) stays.'],
    ['Years [2019-2024] and [] and [a] stay.', 'Years [2019-2024] and [] and [a] stay.'],
    ['Ends with [7]', 'Ends with'],
    ['An index items[0], list()[7], rows[7][8].', 'An index items[0], list()[7], rows[7][8].'],
    ['An index rows[1][0][7], no index [1][0].', 'An index rows[1][0][7], no index [1].'],
    ['Not an index: items. [7] or 【7】 or word【7】', 'Not an index: items. or or word'],
    [
      'It returns [404] or [200, 500] or [80, 443] [1].',
      'It returns [404] or [200, 500] or [80, 443] [1].',
    ],
    ['Either [1, 404].', 'Either [1].'],
    ['Use ``items [0]`` [1].', 'Use ``items [0]`` [1].'],
    ['Use ``a ` [7]`` and ` [7]', 'Use ``a ` [7]`` and `'],
    ['An escaped \\` hides no [7] `.', 'An escaped \\` hides no `.'],
    ['~~~js\na [7]\n``` [7]\n~~~\nbut [7] goes', '~~~js\na [7]\n``` [7]\n~~~\nbut goes'],
    [
      '````md\n```\na [7]\n```\nb [7]\n````\nbut [7] goes',
      '````md\n```\na [7]\n```\nb [7]\n````\nbut goes',
    ],
    ['- ```\n  a [7]\n  ```\n  but [7] goes', '- ```\n  a [7]\n  ```\n  but goes'],
    ['```\na [7] ``` b [7]\n```\n[7]', '```\na [7] ``` b [7]\n```\n'],
    ['So: ```js\na [7]\n\nb [7]\n``` but [7] goes', 'So: ```js\na [7]\n\nb [7]\n``` but goes'],
    ['A stray ``` hides no [7].\n~~ [7]', 'A stray ``` hides no.\n~~'],
    ['Ends with [', 'Ends with ['],
  ])('makes of %j, with two sources, %j', (answer, expected) => {
    expect(checkCitations(answer, 2)).toBe(expected);
  });

  it('does not depend on how a text comes in pieces', () => {
    const part = fc.constantFrom(
      ...[
        '[1]',
        '[7]',
        '[1, 9]',
        ' ',
        '[',
        ']',
        '(',
        '`',
        '``',
        '```',
        '````',
        '~~~',
        '\\',
        '> ',
        ')',
        '[404]',
        '[0]',
        '\n',
        'word',
        '12',
        ',',
        '-',
        '【2】',
        '【',
        'é',
        '😀',
      ],
    );
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.nat(5)), (parts, cuts) => {
        const text = parts.join('');
        const filter = new CitationFilter(2);
        let shown = '';
        let rest = text;
        for (const cut of cuts) {
          shown += filter.push(rest.slice(0, cut));
          rest = rest.slice(cut);
        }
        shown += filter.push(rest) + filter.flush();
        expect(shown).toBe(checkCitations(text, 2));
      }),
      { numRuns: 2_000, seed: 1 },
    );
  });

  it('takes 3 digits for a citation where there are so many sources', () => {
    expect(checkCitations('See [100] and [101].', 100)).toBe('See [100] and.');
  });

  it('shows nothing that may still become a false citation', () => {
    const filter = new CitationFilter(1);
    const shown = ['So ', '[', '4', '2', ']', ' it is.'].map(piece => filter.push(piece));
    expect(shown.join('')).toBe('So it is.');
    expect(shown.slice(0, 4).join('')).toBe('So');
  });

  it('takes a long text without a bracket in pieces as it comes', () => {
    const filter = new CitationFilter(1);
    expect(filter.push('word')).toBe('word');
  });
});

describe('citedNumbers', () => {
  it('gives each number once, in order', () => {
    expect(citedNumbers('a [2], b [1, 2] and [3-4], but not [5](x)')).toEqual([2, 1, 3, 4]);
  });
});
