import { describe, expect, it } from 'vitest';
import { createHeadingIds, headingText } from './markdownSlugs';

describe('headingText', () => {
  it.each([
    ['The `sleep` **action**', 'The sleep action'],
    ['[Setup](setup.md) & run', 'Setup & run'],
    ['![logo](x.png) Name', 'Name'],
    ['snake_case_name &amp; more', 'snake_case_name & more'],
    ['Install {#setup .wide}', 'Install'],
    ['Install {: .wide }', 'Install'],
    ['Text <a name="x"></a>', 'Text'],
  ])('of %s is %s', (source, text) => {
    expect(headingText(source)).toBe(text);
  });
});

/** What Python-Markdown 3.4 gives. */
describe('createHeadingIds', () => {
  it.each([
    ['Set up & run', 'set-up-run'],
    ['`redrive(name, options)`', 'redrivename-options'],
    ['graphile_worker.add_job', 'graphile_workeradd_job'],
    ['Übergänge – Teil 2', 'ubergange-teil-2'],
    ['  A -- b  ', 'a-b'],
    ['Chosen {#my-id}', 'my-id'],
    ['Chosen {: #my-id .x }', 'my-id'],
    ['日本語', '_1'],
  ])('names %s %s', (source, id) => {
    expect(createHeadingIds()(source)).toBe(id);
  });

  it('counts headings of the same name', () => {
    const idOf = createHeadingIds();
    expect(['Usage', 'Usage', 'Usage_1', 'Usage'].map(idOf)).toEqual([
      'usage',
      'usage_1',
      'usage_2',
      'usage_3',
    ]);
    expect(['Usage_1', 'a_9', 'a_9', 'a', 'a_8', 'a_8'].map(idOf)).toEqual([
      'usage_4',
      'a_9',
      'a_10',
      'a',
      'a_8',
      'a_11',
    ]);
  });

  it('counts on from a number of any size', () => {
    const idOf = createHeadingIds();
    const heading = 'a_9007199254740992';
    expect([heading, heading, heading].map(idOf)).toEqual([
      heading,
      'a_9007199254740993',
      'a_9007199254740994',
    ]);
  });

  it('takes time in proportion to the headings', () => {
    const idOf = createHeadingIds();
    const hard = [
      ...Array.from({ length: 20_000 }, () => 'Usage'),
      `a${' '.repeat(100_000)}b`,
      `a {#${'a'.repeat(100_000)}`,
      `a${' {#a'.repeat(30_000)}`,
      `a${' '.repeat(100_000)}{#end} b`,
    ];
    const start = performance.now();
    const ids = hard.map(idOf);
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(ids[19_999]).toBe('usage_19999');
  });
});
