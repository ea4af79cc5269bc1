import { describe, expect, it } from 'vitest';
import { findCodeLines, findHeadings, parseBlocks, splitListItems } from './markdown';

const DOCUMENT = `Some words
on two lines.

\`\`\`yaml
# no heading
a: 1

b: 2
\`\`\`

| a | b |
| - | - |
| 1 | 2 |

- one
- two

  more of two

[reference]: https://example.com

    indented code

> a quotation
`;

describe('parseBlocks', () => {
  it('keeps the source of every block', () => {
    expect(parseBlocks(DOCUMENT)).toEqual([
      { kind: 'prose', text: 'Some words\non two lines.' },
      { kind: 'code', text: '```yaml\n# no heading\na: 1\n\nb: 2\n```' },
      { kind: 'table', text: '| a | b |\n| - | - |\n| 1 | 2 |' },
      { kind: 'list', text: '- one\n- two\n\n  more of two' },
      { kind: 'prose', text: '[reference]: https://example.com' },
      { kind: 'code', text: '    indented code' },
      { kind: 'prose', text: '> a quotation' },
    ]);
  });

  it('gives nothing for blank texts', () => {
    expect(parseBlocks('')).toEqual([]);
    expect(parseBlocks(' \n\t\n')).toEqual([]);
  });

  it('takes a fence that is not closed to the end', () => {
    expect(parseBlocks('```\ncode\n\nmore')).toEqual([{ kind: 'code', text: '```\ncode\n\nmore' }]);
  });

  it('reads every kind of line break', () => {
    expect(parseBlocks('a\r\n\r\nb\r\rc')).toHaveLength(3);
  });
});

describe('splitListItems', () => {
  it('keeps what belongs to an item together', () => {
    expect(splitListItems('1. one\n\n   ```\n   code\n   ```\n2. two\n   - inner')).toEqual([
      '1. one\n\n   ```\n   code\n   ```',
      '2. two\n   - inner',
    ]);
  });
});

describe('findHeadings', () => {
  it('finds both styles, but none in code, lists or quotations', () => {
    const markdown =
      '# One\n\nTwo `x`\n---\n\n```\n# no\n```\n\n- # no\n\n> # no\n\n### Three ###\n';
    expect(findHeadings(markdown)).toEqual([
      { level: 1, source: 'One', startLine: 0, endLine: 1 },
      { level: 2, source: 'Two `x`', startLine: 2, endLine: 4 },
      { level: 3, source: 'Three', startLine: 13, endLine: 14 },
    ]);
  });
});

describe('findCodeLines', () => {
  it('knows code inside of lists', () => {
    expect(findCodeLines(['- a', '', '  ```', '  b', '  ```', 'c'])).toEqual([
      false,
      false,
      true,
      true,
      true,
      false,
    ]);
  });
});
