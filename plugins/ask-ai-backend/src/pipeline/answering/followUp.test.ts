import { describe, expect, it } from 'vitest';
import { retrievalQueries } from './followUp';

const history = [
  { role: 'user' as const, content: 'What is the ledger service?' },
  { role: 'assistant' as const, content: 'It books payments.' },
];

describe('retrievalQueries', () => {
  it('looks for a first question by itself', () => {
    expect(retrievalQueries({ prompt: 'Who owns it?' })).toEqual(['Who owns it?']);
  });

  it.each(['Who owns it?', 'And the owner?', 'Why?'])(
    'looks for %j only together with the question before, as it names no subject',
    prompt => {
      expect(retrievalQueries({ prompt, history })).toEqual([
        `What is the ledger service?\n${prompt}`,
      ]);
    },
  );

  it('looks for a question that points back together with the one before first', () => {
    const prompt = 'How are its database migrations rolled back after a failure?';
    expect(retrievalQueries({ prompt, history })).toEqual([
      `What is the ledger service?\n${prompt}`,
      prompt,
    ]);
  });

  it('looks for a new subject by itself first', () => {
    const prompt = 'How long are access tokens for customers valid?';
    expect(retrievalQueries({ prompt, history })[0]).toBe(prompt);
  });
});
