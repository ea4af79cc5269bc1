import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeMarkdown } from './markdownEscapes';
import { cleanMarkdown } from './markdownNoise';

describe('cleanMarkdown', () => {
  it.each([
    ['a comment', 'before <!-- a\n\n`b` --> after', 'before   after'],
    ['a script', 'before <script src="x">run("</p>")</script> after', 'before   after'],
    ['a badge', '[![npm version](https://img.example/v.svg)](https://example.com) Text', ' Text'],
    ['a logo', '![logo](logo.png)\n\nText', 'Text'],
    [
      'the address of a picture',
      '![How a run goes](run.svg "title"){ width=300 }',
      'How a run goes',
    ],
    ['a picture in HTML', '<img src="a.png" alt="How a run goes" width=3>', 'How a run goes'],
    ['the place of the contents', '[TOC]\n\nText\n\n[[_TOC_]]', 'Text'],
    [
      'attributes',
      'A [link](x){: target="_blank" }\n{: .note }\n\nEnd {#end}',
      'A [link](x)\n\nEnd',
    ],
    ['tags inside of a sentence', 'a <b>bold</b><sup>2</sup> word', 'a bold2 word'],
    ['tags between words', 'one<br/>two<p align="center">three</p>', 'one two three '],
    [
      'entities',
      'a &lt;b&gt; &amp; c&nbsp;d &#8212; &#x41; &unknown;',
      'a <b> & c d — A &unknown;',
    ],
  ])('takes out %s', (_, markdown, cleaned) => {
    expect(cleanMarkdown(markdown).trim()).toBe(cleaned.trim());
  });

  it.each([
    'a type such as `array<string>` or array<string>',
    'JSX: <Grid container><Link to="x" /></Grid>',
    'a value to fill in: cp <path> <title>',
    'an address: <https://example.com>',
    'braces: {key} {{ .Values.name }} up{job="api"}',
    'a code span: `<!-- no comment --> <b> ![x](y) &lt; {#id}`',
    '```html\n<!-- no comment -->\n<b>bold</b>  \n\n\n![x](y) {#id}\n```',
    '- item\n\n  ```\n  <b>code in a list</b>\n  ```',
    '---\n\nbetween two lines, no front matter\n\n---',
    '---\n\n- Call the on-call engineer\n\n---\n\nAfterwards',
    '---\n\nseverity: high\n\n---\n\nAfterwards',
    'an opening <!-- that is never closed',
  ])('leaves alone: %s', markdown => {
    expect(cleanMarkdown(markdown)).toBe(markdown);
  });

  it('turns admonitions and tabs into ordinary text', () => {
    const markdown = [
      '!!! warning "Take care"',
      '    First.',
      '',
      '    ```sh',
      '    !!! run',
      '    ```',
      '    ??? note inline end',
      '        Inner.',
      'Outside.',
      '=== "npm"',
      '    install',
    ].join('\n');
    expect(cleanMarkdown(markdown)).toBe(
      [
        '**Take care**\n\nFirst.\n\n```sh\n!!! run\n```\n**Note**\n\nInner.\nOutside.',
        '**npm**\n\ninstall',
      ].join('\n'),
    );
  });

  it.each([
    ['a code span of three backticks', '```npm i``` installs it.'],
    ['a fence in indented code', 'Write:\n\n    ```sh\n    npm i'],
    ['a fence in code indented by a tab', 'Write:\n\n\t~~~\n\tnpm i'],
    ['a fence in the indented code of a note', '!!! tip\n    Write:\n\n        ```sh\n\nText.'],
    ['a fence in a list', '1. Write:\n\n    ```sh\n    npm i\n    ```\n'],
    [
      'a fence in the list of a list',
      '- a\n    - b\n\n        ```sh\n        npm i\n        ```\n',
    ],
  ])('opens an admonition after %s', (_, before) => {
    expect(cleanMarkdown(`${before}\n\n!!! note\n\n    Inner.`)).toMatch(
      /\n\n\*\*Note\*\*\n\nInner\.$/,
    );
  });

  it('leaves what is marked like an admonition in the fence of a list', () => {
    const markdown = '- a\n    - b\n\n        ```sh\n        !!! note\n        ```';
    expect(cleanMarkdown(markdown)).toBe(markdown);
  });

  it('gives an escaped text back as it was (500 cases)', () => {
    const word = fc.constantFrom(
      ...['a', '<b>', '<!--', '-->', '&lt;', '`', '``', '![x](y)', '{: .x }', '{#y}', '\\', '\\<'],
      ...['<script>', '[TOC]', '<br/>', '<T>', '"x"', '$1', '$&'],
    );
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), words => {
        const text = `x ${words.join(' ')} x`;
        expect(cleanMarkdown(escapeMarkdown(text))).toBe(text);
      }),
      { seed: 20_262, numRuns: 500 },
    );
  });
});
