import { type JsonSchema, ref, schemas } from './schemas';

interface Operation {
  operationId: string;
  summary: string;
  requestBody?: object;
  parameters?: object[];
  responses: Record<string, object>;
  security?: object[];
}

const json = (description: string, name: string) => ({
  description,
  content: { 'application/json': { schema: ref(name) } },
});

const body = (name: string) => ({
  required: true,
  content: { 'application/json': { schema: ref(name) } },
});

const error = (description: string) => json(description, 'Error');

const RETRY_AFTER = {
  headers: { 'retry-after': { schema: { type: 'integer' }, description: 'Seconds.' } },
};

const SIGNED_IN = {
  '401': error('Nobody is signed in.'),
  '403': error('The caller lacks the permission.'),
  '503': {
    ...error('The store, or what decides about permissions, does not answer.'),
    ...RETRY_AFTER,
  },
  '504': error('The store did not answer in time.'),
};
const CHECKED = {
  ...SIGNED_IN,
  '400': error('The input is not as it must be; the message says how.'),
};
const READ = {
  ...CHECKED,
  '415': error('The body is not JSON by its content type.'),
};
const LIMITED = {
  ...READ,
  '413': error('The body is too large.'),
  '429': { ...error('The caller asks too often.'), ...RETRY_AFTER },
  '502': error('The model server failed.'),
};
const NOTHING = { description: 'Done.' };

const paths: Record<string, Record<string, Operation>> = {
  '/': {
    post: {
      operationId: 'ask',
      summary: 'Answers a question. Needs askAi.question.ask.',
      requestBody: body('AskRequest'),
      responses: {
        ...LIMITED,
        '200': {
          description: 'The answer; with Accept: text/event-stream, piece by piece.',
          content: {
            'application/json': { schema: ref('AskResponse') },
            'text/event-stream': {
              schema: {
                type: 'string',
                description:
                  'Events: sources {sources, model}, token {text}, done (an AskResponse) or error (an Error).',
              },
            },
          },
        },
      },
    },
  },
  '/search': {
    post: {
      operationId: 'search',
      summary: 'Finds passages, best first. Needs askAi.question.ask.',
      requestBody: body('SearchRequest'),
      responses: { ...LIMITED, '200': json('The passages.', 'SearchResponse') },
    },
  },
  '/feedback': {
    post: {
      operationId: 'rate',
      summary: 'Rates an answer. Needs askAi.question.ask.',
      requestBody: body('FeedbackRequest'),
      responses: { ...READ, '204': NOTHING, '404': error('There is no such answer.') },
    },
  },
  '/questions/unanswered': {
    get: {
      operationId: 'unansweredQuestions',
      summary: 'The most frequent unanswered questions. Needs askAi.index.manage.',
      responses: { ...SIGNED_IN, '200': json('The questions.', 'UnansweredQuestions') },
    },
  },
  '/index': {
    post: {
      operationId: 'startIndex',
      summary: 'Brings the index up to date. Needs askAi.index.manage.',
      requestBody: { ...body('IndexRequest'), required: false },
      responses: { ...READ, '202': json('The run that does it.', 'IndexStarted') },
    },
    delete: {
      operationId: 'clearIndex',
      summary: 'Removes everything, or what belongs to one entity. Needs askAi.index.manage.',
      parameters: [{ name: 'entityId', in: 'query', required: false, schema: { type: 'string' } }],
      responses: { ...CHECKED, '204': NOTHING },
    },
  },
  '/index/entity': {
    post: {
      operationId: 'indexEntity',
      summary: 'Brings the index up to date for one entity. Needs askAi.index.manage.',
      requestBody: body('IndexEntityRequest'),
      responses: {
        ...READ,
        '202': json('The run that does it.', 'IndexStarted'),
        '404': error('The catalog has no such entity, as far as the caller may know.'),
      },
    },
  },
  '/index/run': {
    delete: {
      operationId: 'cancelIndex',
      summary: 'Stops the run under way. Needs askAi.index.manage.',
      responses: { ...SIGNED_IN, '200': json('Whether there was one.', 'IndexCancelled') },
    },
  },
  '/index/export': {
    get: {
      operationId: 'exportIndex',
      summary: 'What is indexed and the caller may read. Needs askAi.index.manage.',
      responses: {
        ...SIGNED_IN,
        '200': {
          description: 'An embedding a line.',
          content: { 'application/x-ndjson': { schema: ref('EmbeddingVector') } },
        },
      },
    },
  },
  '/index/status': {
    get: {
      operationId: 'indexStatus',
      summary: 'What the index holds, does and did. Needs askAi.index.read.',
      responses: { ...SIGNED_IN, '200': json('The status.', 'IndexStatus') },
    },
  },
  '/health': {
    get: {
      operationId: 'health',
      summary: 'Whether all that the plugin depends on is well. Needs no login.',
      security: [],
      responses: {
        '200': json(
          'Everything works; a check may hold a warning, which says what to do.',
          'Health',
        ),
        '503': json('Something is not; the check says what.', 'Health'),
      },
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'openApi',
      summary: 'This document.',
      responses: {
        '200': {
          description: 'OpenAPI 3.1.',
          content: { 'application/json': { schema: { type: 'object' } } },
        },
        '401': SIGNED_IN['401'],
      },
    },
  },
};

/** The HTTP interface under `/api/ask-ai`, as OpenAPI 3.1. */
export const openApiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'ask-ai',
    version: '1',
    description: 'Answers engineers’ questions from the software catalog and TechDocs.',
    license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
  },
  servers: [{ url: '/api/ask-ai' }],
  security: [{ backstage: [] }],
  paths,
  components: {
    securitySchemes: { backstage: { type: 'http', scheme: 'bearer' } },
    schemas: schemas satisfies Record<string, JsonSchema>,
  },
};
