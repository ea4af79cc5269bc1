import type { AskRequest } from 'backstage-plugin-ask-ai-common';
import { queryTerms } from '../../lib/text';

/** Words that point at something said before. */
const POINTERS =
  /\b(?:it|its|that|this|these|those|they|them|their|he|she|there|same|former|latter|ones?)\b/i;

/** How questions begin that go on with the one before. */
const CONTINUATIONS = /^\s*(?:and|but|or|so|then|also|what about|how about|why|how so|really)\b/i;

/** So few telling words name no subject of their own: alone they would find any. */
const FEW_TERMS = 2;

/**
 * What to look for, in the order of trial: a question that goes on with the one before it ("Who owns
 * it?") is looked for together with that one, any other by itself.
 */
export function retrievalQueries({ prompt, history = [] }: AskRequest): string[] {
  const before = history.filter(({ role }) => role === 'user').at(-1)?.content;
  if (before === undefined) {
    return [prompt];
  }
  const together = `${before}\n${prompt}`;
  if (queryTerms(prompt).length <= FEW_TERMS) {
    return [together];
  }
  return POINTERS.test(prompt) || CONTINUATIONS.test(prompt)
    ? [together, prompt]
    : [prompt, together];
}
