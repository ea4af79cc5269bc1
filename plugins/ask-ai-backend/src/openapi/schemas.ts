import { z } from 'zod';
import {
  askSchema,
  feedbackSchema,
  indexEntitySchema,
  nothingSchema,
  searchSchema,
} from '../requestSchemas';

/** JSON Schema, as OpenAPI 3.1 has it. */
export type JsonSchema = { [key: string]: unknown };

const text: JsonSchema = { type: 'string' };
const number: JsonSchema = { type: 'number' };
const count: JsonSchema = { type: 'integer', minimum: 0 };
const flag: JsonSchema = { type: 'boolean' };
const time: JsonSchema = { type: 'string', format: 'date-time' };

/** An object with these keys and no others; those whose name ends with `?` may be left out. */
function object(properties: Record<string, JsonSchema>, description?: string): JsonSchema {
  const entries = Object.entries(properties);
  return {
    type: 'object',
    ...(description && { description }),
    required: entries.map(([key]) => key).filter(key => !key.endsWith('?')),
    properties: Object.fromEntries(
      entries.map(([key, schema]) => [key.replace(/\?$/, ''), schema]),
    ),
    additionalProperties: false,
  };
}

const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const oneOf = (...values: string[]): JsonSchema => ({ type: 'string', enum: values });
export const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

/** What a request may hold is what the router checks it against. */
function request(schema: z.ZodType): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}

const isPartial: JsonSchema = {
  const: true,
  description: 'There when not all that the caller may read could be looked at in time.',
};

const trigger = oneOf('startup', 'schedule', 'manual', 'entity');
const runCounts = {
  documents: object({ seen: count, changed: count, removed: count, failed: count }),
  chunks: object({ embedded: count, skipped: count, removed: count }),
};

const documentChunk = object({
  id: text,
  entityId: { type: 'string', description: 'An entity reference: component:default/petstore' },
  entityName: text,
  content: text,
  metadata: object({
    source: oneOf('catalog', 'techdocs'),
    chunkIndex: count,
    totalChunks: count,
    'title?': text,
    'location?': { type: 'string', description: 'Path in the portal.' },
  }),
});

/** Everything that requests and answers consist of. */
export const schemas: Record<string, JsonSchema> = {
  AskRequest: request(askSchema),
  SearchRequest: request(searchSchema),
  FeedbackRequest: request(feedbackSchema),
  IndexEntityRequest: request(indexEntitySchema),
  IndexRequest: request(nothingSchema),
  DocumentChunk: documentChunk,
  RankedResult: object({
    documentChunk: ref('DocumentChunk'),
    similarity: { type: 'number', description: '1 - cosine distance, from -1 to 1.' },
    score: { type: 'number', description: 'Higher is better; comparable only within one answer.' },
  }),
  AskResponse: object({
    id: { type: 'string', description: 'Names the answer in POST /feedback.' },
    answer: { type: 'string', description: 'Markdown; [1] names the first source.' },
    sources: list(ref('RankedResult')),
    model: text,
    found: { type: 'boolean', description: 'false when nothing supports an answer.' },
    'isPartial?': isPartial,
  }),
  SearchResponse: object({ results: list(ref('RankedResult')), 'isPartial?': isPartial }),
  UnansweredQuestions: object({
    questions: list(object({ question: text, count, lastAskedAt: time })),
    counts: object({ asked: count, unanswered: count, helpful: count, unhelpful: count }),
  }),
  IndexStarted: object({
    runId: text,
    joined: { type: 'boolean', description: 'Whether a run under way takes care of the request.' },
  }),
  IndexCancelled: object({ cancelled: flag }),
  IndexStatus: object({
    state: oneOf('idle', 'running'),
    vectorCount: count,
    entityCount: count,
    'progress?': object({
      id: text,
      trigger,
      startedAt: time,
      ...runCounts,
      documentsPerSecond: number,
      'estimatedSecondsLeft?': count,
    }),
    'lastRun?': object({
      id: text,
      trigger,
      outcome: oneOf('completed', 'failed', 'cancelled'),
      'reason?': text,
      startedAt: time,
      finishedAt: time,
      ...runCounts,
    }),
    'nextRun?': time,
    failures: list(object({ entityId: text, source: text, reason: text })),
    'embeddingSpace?': object({
      provider: text,
      model: text,
      dimensions: count,
      chunkerVersion: count,
    }),
    'vectorIndex?': { type: 'object', description: 'How the vector index is built and searched.' },
  }),
  EmbeddingVector: object({
    id: text,
    chunkId: text,
    vector: list(number),
    documentChunk: ref('DocumentChunk'),
  }),
  Health: object({
    status: oneOf('ok', 'error'),
    checks: {
      type: 'object',
      additionalProperties: object({
        status: oneOf('ok', 'warning', 'error'),
        'message?': text,
        latencyMs: number,
      }),
    },
  }),
  Error: {
    type: 'object',
    description: 'As every Backstage backend answers errors.',
    required: ['error', 'response'],
    properties: {
      error: {
        type: 'object',
        required: ['name', 'message'],
        properties: { name: text, message: text },
      },
      response: {
        type: 'object',
        required: ['statusCode'],
        properties: { statusCode: { type: 'integer' } },
      },
    },
  },
};
