import type { RankedResult } from 'backstage-plugin-ask-ai-common';
import { describe, expect, it } from 'vitest';
import { drawComparison } from './chart';
import { type EvaluatedBackend, evaluateMode } from './evaluation';
import { parseQuestions } from './questions';
import { askAll, formatRefusals } from './refusals';
import { formatComparison, formatMisses } from './report';

const QUESTIONS = parseQuestions(`
{"id":"q1","question":"one","entityRef":"component:default/a","locations":["#x"],"answerContains":["xx"],"style":"keyword"}
{"id":"q2","question":"two","entityRef":"component:default/a","locations":["#y"],"answerContains":["yy"],"style":"natural"}
{"id":"u1","question":"three","unanswerable":true}
{"id":"u2","question":"four","unanswerable":true}
`);

const hit = (location: string): RankedResult => ({
  documentChunk: {
    id: location,
    entityId: 'component:default/a',
    entityName: 'A',
    content: '',
    metadata: {
      source: 'techdocs',
      chunkIndex: 0,
      totalChunks: 1,
      location: `/docs/default/component/a/${location}`,
    },
  },
  similarity: 0.5,
  score: 0.5,
});

class ScriptedBackend implements EvaluatedBackend {
  async search({ query }: { query: string }) {
    return { results: query === 'one' ? [hit('#w'), hit('#x')] : [hit('#w')] };
  }

  async ask({ prompt }: { prompt: string }) {
    return { found: prompt === 'four' };
  }
}

describe('evaluateMode', () => {
  it('measures by style and overall', async () => {
    const evaluation = await evaluateMode(new ScriptedBackend(), QUESTIONS.answerable, 'hybrid');
    expect(evaluation.outcomes.map(({ rank }) => rank)).toEqual([2, undefined]);
    expect(evaluation.metrics).toMatchObject([
      { style: 'keyword', values: { hitAt1: 0, hitAt5: 1, meanReciprocalRank: 0.5 } },
      { style: 'natural', values: { hitAt5: 0 } },
      { style: 'all', values: { questions: 2, hitAt5: 0.5 } },
    ]);
    expect(formatComparison([evaluation])).toMatch(
      /hybrid, keyword +1 +0\.00 +1\.00 +0\.500 +0\.631/,
    );
    const report = formatMisses(evaluation);
    expect(report).toContain('q2 (natural, not in 10) two');
    expect(report).toContain('first  component:default/a /docs/default/component/a/#w');
    expect(report).not.toContain('q1 (');
  });
});

describe('askAll', () => {
  it('counts "not found" by what would have been right', async () => {
    const backend = new ScriptedBackend();
    const { outcomes } = await evaluateMode(backend, QUESTIONS.answerable, 'hybrid');
    const refusals = await askAll(backend, outcomes, QUESTIONS.unanswerable);
    const found = Object.entries(refusals).map(([what, asked]) => [
      what,
      asked.map((question: { id: string; found: boolean }) => [question.id, question.found]),
    ]);
    expect(Object.fromEntries(found)).toEqual({
      unanswerable: [
        ['u1', false],
        ['u2', true],
      ],
      retrieved: [['q1', false]],
      missed: [['q2', false]],
    });
    const table = formatRefusals(refusals);
    expect(table).toMatch(/unanswerable \(to be refused\) +2 +1 +0\.50/);
    expect(table).toContain('answered all the same: u2 four');
    expect(table).toContain('refused all the same: q1 one');
  });
});

describe('drawComparison', () => {
  it('draws a bar for each mode, style and measure', async () => {
    const backend = new ScriptedBackend();
    const modes = [
      await evaluateMode(backend, QUESTIONS.answerable, 'hybrid'),
      await evaluateMode(backend, QUESTIONS.answerable, 'vector'),
    ];
    const svg = drawComparison(modes);
    const bars = svg.match(/<title>(?:hybrid|vector), (?:keyword|natural|all): /g);
    expect(bars).toHaveLength(2 * 3 * 4);
    expect(svg).not.toMatch(/NaN|undefined/);
  });
});

describe('parseQuestions', () => {
  it.each([
    ['{"id":"q1"}', /Line 1 is no question/],
    ['\n{', /Line 2 is not JSON/],
  ])('refuses %j', (text, message) => {
    expect(() => parseQuestions(text)).toThrow(message);
  });
});
