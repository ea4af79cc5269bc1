import { describe, expect, it } from 'vitest';
import { htmlToMarkdown, htmlToText } from './html';
import { cleanMarkdown } from './markdownNoise';

describe('htmlToMarkdown', () => {
  it('keeps paragraphs, lists and code', () => {
    const html =
      '<p>Run <code>npm test</code>:</p>\n<pre><span></span><code class="language-sh">npm test\n  --watch\n</code></pre>' +
      '<ul><li>one</li><li>two</li></ul><h3>More</h3><p>End.</p>';
    expect(htmlToMarkdown(html).replace(/\n{3,}/g, '\n\n')).toBe(
      'Run `npm test`:\n\n```sh\nnpm test\n  --watch\n```\n\n- one\n- two\n\nMore\n\nEnd.',
    );
  });

  it('takes what is escaped for text', () => {
    const html = '<p>An array&lt;string&gt; &amp; a &lt;b&gt; ![x](y) {#z} `</p>';
    expect(cleanMarkdown(htmlToMarkdown(html))).toBe('An array<string> & a <b> ![x](y) {#z} `');
  });

  it('does not let code end its own fence', () => {
    expect(htmlToMarkdown('<pre>```\nx\n```</pre>')).toBe('````\n```\nx\n```\n````');
    expect(htmlToMarkdown('<p><code>`</code></p>')).toBe('`` ` ``');
  });

  it('takes time in proportion to the spaces within code', () => {
    const spaces = ' '.repeat(200_000);
    const start = performance.now();
    expect(htmlToMarkdown(`<pre>\n\n  a${spaces}b \n </pre>`)).toBe(
      `\`\`\`\n  a${spaces}b\n\`\`\``,
    );
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('leaves out pictures and the targets of links', () => {
    expect(htmlToMarkdown('<p><img src="a.png" alt="x"><a href="b">here</a></p>')).toBe('here');
  });
});

describe('htmlToText', () => {
  it('gives the text of a title', () => {
    expect(htmlToText('The <code>run</code> &amp; array&lt;T&gt;')).toBe('The run & array<T>');
    expect(htmlToText(' plain ')).toBe('plain');
  });
});
