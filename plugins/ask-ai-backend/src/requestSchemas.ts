import { InputError } from '@backstage/errors';
import type { AskRequest, FeedbackRequest, SearchRequest } from 'backstage-plugin-ask-ai-common';
import { z } from 'zod';
import { choice, flag, integer, listOf, section, text } from './lib/fields';
import { describeProblems } from './lib/problems';

/** Longest question, in characters: ten pages; a longer text is a document, not a question. */
const LONGEST_QUESTION = 32_768;

/** Most turns of a conversation that are read. */
const MOST_TURNS = 50;

/** Characters of a comment on an answer. */
const LONGEST_COMMENT = 4_096;

/** An answer's id is a UUID. */
const MOST_ID_LENGTH = 100;

/** Names in one list of a filter. */
const MOST_NAMES = 1_000;

const validText = (expected: string) =>
  text(expected).refine(
    value => value.isWellFormed() && !value.includes('\0'),
    'valid text, without NUL',
  );

const question = () =>
  validText('a question').max(LONGEST_QUESTION, `at most ${LONGEST_QUESTION} characters`);

const entityId = () =>
  validText('an entity reference such as component:default/petstore').max(
    1_024,
    'at most 1024 characters',
  );

const names = (item: z.ZodType<string>, expected: string) =>
  listOf(item, expected).max(MOST_NAMES, `a list of at most ${MOST_NAMES}`).optional();

const filterSchema = section({
  entityIds: names(entityId(), 'a list of entity references'),
  kinds: names(validText('the kind of an entity'), 'a list of entity kinds'),
  namespaces: names(validText('the namespace of an entity'), 'a list of namespaces'),
  sources: listOf(choice(['catalog', 'techdocs']), 'a list of catalog and techdocs').optional(),
  minSimilarity: z
    .number('a number from -1 to 1')
    .min(-1, 'a number from -1 to 1')
    .max(1, 'a number from -1 to 1')
    .optional(),
});

const topK = () => integer(1, 100).optional();

export const askSchema: z.ZodType<AskRequest> = section({
  prompt: question(),
  model: text('the name of a model').optional(),
  entityId: entityId().optional(),
  useRAG: flag().optional(),
  topK: topK(),
  history: listOf(
    section({ role: choice(['user', 'assistant']), content: question() }),
    'a list of { role, content }',
  )
    .max(MOST_TURNS, `a list of at most ${MOST_TURNS} turns`)
    .optional(),
});

export const searchSchema: z.ZodType<SearchRequest> = section({
  query: question(),
  topK: topK(),
  entityId: entityId().optional(),
  filter: filterSchema.optional(),
  mode: choice(['hybrid', 'vector', 'keyword']).optional(),
  neighbours: integer(0, 5).optional(),
});

export const feedbackSchema: z.ZodType<FeedbackRequest> = section({
  answerId: validText('the id of an answer').max(MOST_ID_LENGTH, 'the id of an answer'),
  rating: choice(['helpful', 'unhelpful']),
  comment: validText('a text')
    .max(LONGEST_COMMENT, `at most ${LONGEST_COMMENT} characters`)
    .optional(),
});

export const indexEntitySchema = section({ entityRef: entityId() });
export const nothingSchema = section({});
const clearSchema = section({ entityId: entityId().optional() });

/** Each throws an InputError that names every problem. */
export const parseAskRequest = parser(askSchema);
export const parseSearchRequest = parser(searchSchema);
export const parseFeedbackRequest = parser(feedbackSchema);
export const parseIndexEntityRequest = parser(indexEntitySchema);
export const parseIndexRequest = parser(nothingSchema);
export const parseClearQuery = parser(clearSchema);

function parser<T>(schema: z.ZodType<T>): (value: unknown) => T {
  return value => {
    const result = schema.safeParse(value ?? {});
    if (!result.success) {
      throw new InputError(describeProblems(result.error.issues, value, { schema }).join('. '));
    }
    return result.data;
  };
}
