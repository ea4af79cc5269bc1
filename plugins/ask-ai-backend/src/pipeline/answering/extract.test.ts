import type { RankedResult } from 'backstage-plugin-ask-ai-common';
import { describe, expect, it } from 'vitest';
import { extractAnswer } from './extract';

function hit(content: string, title = 'Deploying'): RankedResult {
  return {
    score: 1,
    similarity: 0.5,
    documentChunk: {
      id: content,
      entityId: 'component:default/a',
      entityName: 'A',
      content,
      metadata: { source: 'techdocs', chunkIndex: 0, totalChunks: 1, title },
    },
  } as RankedResult;
}

describe('extractAnswer', () => {
  it('quotes the sentences that hold most words of the question, by source', () => {
    const hits = [
      hit('Deploys need a review. Roll back a deploy with one command. Cats sleep.'),
      hit('To roll back a deploy twice is fine. Dogs bark.', 'Other'),
    ];
    expect(extractAnswer('How do I roll back a deploy?', hits)).toBe(
      'Roll back a deploy with one command. [1]\n\nTo roll back a deploy twice is fine. [2]',
    );
  });

  it('joins the lines of a paragraph, and its sentences', () => {
    const content =
      'Roll back a deploy with one\ncommand of the\n`till` tool. A deploy that you\nroll back stays.';
    expect(extractAnswer('roll back a deploy', [hit(content)])).toBe(
      'Roll back a deploy with one command of the `till` tool. A deploy that you roll back stays. [1]',
    );
  });

  it.each([
    ['keys of YAML', 'rollback: roll back\ndeploy: true\nback: no'],
    ['indented lines', 'roll back a deploy\n    with care'],
  ])('keeps the lines of %s', (_, content) => {
    expect(extractAnswer('roll back a deploy', [hit(content)])).toBe(`${content} [1]`);
  });

  it.each([
    ['a code block', '```sh\nroll back\nthe deploy\n```'],
    ['code in four backticks', '````md\n```sh\nroll back\n```\nthe deploy\n````'],
    ['code in tildes', '~~~sh\nroll back [2]\n```\nthe deploy\n~~~'],
    ['code in a list item', '- ```sh\n  roll back\n  the deploy\n  ```'],
    ['a table', '| roll back | deploy |\n| --- | --- |\n| a | b |'],
  ])(
    'cites %s below it, where Markdown does not take the citation for a part of it',
    (_, block) => {
      expect(extractAnswer('roll back a deploy', [hit(block)])).toBe(`${block}\n\n[1]`);
    },
  );

  it('cuts long tables and code between lines, and ends the code', () => {
    const row = `| roll back | ${'x'.repeat(80)} |\n`;
    const table = extractAnswer('roll back', [hit(row.repeat(20))]);
    expect(table).toBe(`${row.repeat(6)}\n[1]`);
    const code = extractAnswer('roll back', [
      hit(`\`\`\`sh\n${'roll back it\n'.repeat(90)}\`\`\``),
    ]);
    expect(code).toMatch(/^```sh\n(roll back it\n)+```\n\n\[1\]$/);
    expect(code.length).toBeLessThan(620);
    expect(extractAnswer('roll back', [hit('```sh\nroll back')])).toBe(
      '```sh\nroll back\n```\n\n[1]',
    );
    expect(extractAnswer('roll back', [hit('> ````sh\n> roll back\n> ```')])).toBe(
      '> ````sh\n> roll back\n> ```\n> ````\n\n[1]',
    );
    expect(extractAnswer('roll back', [hit('1. ```sh\n   roll back')])).toBe(
      '1. ```sh\n   roll back\n   ```\n\n[1]',
    );
  });

  it('quotes an indented code block without its indentation', () => {
    const content =
      'Cats sleep.\n\n     ```sh\n     roll back\n       it\n     ```\n     Dogs bark.';
    expect(extractAnswer('roll back', [hit(content)])).toBe('```sh\nroll back\n  it\n```\n\n[1]');
  });

  it('leaves the boxes of a task list as they are', () => {
    const content = '- [ ] Roll back the deploy\n- [x] Drain the node';
    expect(extractAnswer('roll back the deploy', [hit(content)])).toBe(
      '- [ ] Roll back the deploy [1]',
    );
  });

  it('takes numbers in brackets of a text for no citations, but leaves code and links', () => {
    const content = 'Roll back [2] as `a [3]` says, or see [4](https://example.com) and list[5].';
    expect(extractAnswer('roll back', [hit(content)])).toBe(
      'Roll back (2) as `a [3]` says, or see [4](https://example.com) and list[5]. [1]',
    );
  });

  it('leaves code in several backticks', () => {
    expect(extractAnswer('roll back', [hit('Roll back ``a ` [2]`` [3].')])).toBe(
      'Roll back ``a ` [2]`` (3). [1]',
    );
  });

  it('quotes the beginning of the best source where no word is found', () => {
    expect(extractAnswer('zebra', [hit('First sentence. Second.')])).toBe('First sentence. [1]');
    expect(extractAnswer('zebra', [])).toBe('');
  });

  it('cuts a quotation without breaking a character', () => {
    const answer = extractAnswer('emoji', [hit(`emoji ${'😀'.repeat(400)}`)]);
    expect(answer.isWellFormed()).toBe(true);
    expect(answer.length).toBeLessThan(620);
  });
});
