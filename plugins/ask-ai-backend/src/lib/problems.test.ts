import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { integer, listOf, section, text } from './fields';
import { describeProblems } from './problems';

const schema = section({
  prompt: text('a question'),
  topK: integer(1, 100).optional(),
  history: listOf(section({ content: text('a text') }), 'a list of { content }').optional(),
  either: z
    .union([z.boolean(), section({ inside: integer(0, 9) })], 'true or an object')
    .optional(),
});

function problemsOf(value: unknown): string[] {
  const result = schema.safeParse(value);
  return result.success ? [] : describeProblems(result.error.issues, value, { schema });
}

describe('describeProblems', () => {
  it.each([
    [{ prompt: 'x', topK: -1 }, 'Expected topK to be an integer from 1 to 100, got -1'],
    [{ prompt: ' ' }, 'Expected prompt to be a question, got " "'],
    [{}, 'Expected prompt to be a question, got nothing'],
    [{ prompt: null }, 'Expected prompt to be a question, got null'],
    [[], 'Expected the whole to be an object, got a list'],
    [{ prompt: 'x', topk: 3 }, 'Unknown key topk; did you mean topK?'],
    [
      { prompt: 'x', history: [{ content: 'y' }, { content: 4 }] },
      'Expected history[1].content to be a text, got 4',
    ],
    [
      { prompt: 'x', history: [{ content: 'y', contents: 'z' }] },
      'Unknown key history[0].contents; did you mean history[0].content?',
    ],
    [{ prompt: 'x', either: 3 }, 'Expected either to be true or an object, got 3'],
    [
      { prompt: 'x', either: { inside: 10 } },
      'Expected either.inside to be an integer from 0 to 9, got 10',
    ],
  ])('names the key, the expectation and the value of %j', (value, problem) => {
    expect(problemsOf(value)).toEqual([problem]);
  });

  it('shortens a long text', () => {
    const [problem] = problemsOf({ prompt: 'x', topK: 'y'.repeat(1_000) });
    expect(problem?.length).toBeLessThan(150);
  });
});
