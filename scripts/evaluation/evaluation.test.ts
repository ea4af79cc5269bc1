import type { RankedResult } from 'backstage-plugin-ask-ai-common';
import { describe, expect, it } from 'vitest';
import { countRefused, type EvaluatedBackend, evaluateMode } from './evaluation';
import { parseQuestions } from './questions';
import { formatEvaluation } from './report';

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
    const report = formatEvaluation(evaluation);
    expect(report).toContain('q2 (natural, not in 10) two');
    expect(report).toContain('first  component:default/a /docs/default/component/a/#w');
    expect(report).not.toContain('q1 (');
  });
});

describe('countRefused', () => {
  it('tells refused and answered questions apart', async () => {
    const { refused, answered } = await countRefused(new ScriptedBackend(), QUESTIONS.unanswerable);
    expect([refused, answered].map(list => list.map(({ id }) => id))).toEqual([['u1'], ['u2']]);
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
