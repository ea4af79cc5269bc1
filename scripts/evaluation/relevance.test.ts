import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import { describe, expect, it } from 'vitest';
import type { AnswerableQuestion } from './questions';
import { isRightHit } from './relevance';

const question: AnswerableQuestion = {
  id: 'q1',
  question: 'How is the key rotated?',
  entityRef: 'component:default/auth-service',
  locations: ['keys/#rotate', '#top'],
  answerContains: ['authctl keys promote'],
  style: 'natural',
};

function hit(
  place: string,
  { content = 'x', source = 'techdocs', entityId = 'component:default/auth-service' } = {},
): DocumentChunk {
  return {
    id: 'c',
    entityId,
    entityName: 'Auth service',
    content,
    metadata: {
      source: source as 'techdocs',
      chunkIndex: 0,
      totalChunks: 1,
      location: `/docs/default/component/auth-service${place}`,
    },
  };
}

describe('isRightHit', () => {
  it.each([
    ['a section that answers', hit('/keys/#rotate')],
    ['a section that answers on the first page', hit('/#top')],
    ['the whole page of a section that answers', hit('/keys/')],
    ['the same without a slash', hit('/keys')],
    ['the whole first page', hit('')],
    [
      'another piece that holds the text',
      hit('/other/#x', { content: 'run authctl  keys\npromote' }),
    ],
    [
      'an entity reference in another case',
      hit('/keys/#rotate', { entityId: 'Component:default/auth-service' }),
    ],
  ])('takes %s', (_, chunk) => {
    expect(isRightHit(question, chunk)).toBe(true);
  });

  it.each([
    ['another section of the page', hit('/keys/#create')],
    ['another page', hit('/tokens/')],
    ['the text of another entity', hit('/keys/#rotate', { entityId: 'component:default/other' })],
    ['the catalog', hit('/keys/#rotate', { source: 'catalog' })],
    ['a page whose name only begins alike', hit('/keys-old/')],
  ])('refuses %s', (_, chunk) => {
    expect(isRightHit(question, chunk)).toBe(false);
  });
});
