import SwaggerParser from '@apidevtools/swagger-parser';
import { mockCredentials, mockServices } from '@backstage/backend-test-utils';
import Ajv2020 from 'ajv/dist/2020';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AskAiService } from '../AskAiService';
import {
  parseAskRequest,
  parseFeedbackRequest,
  parseIndexEntityRequest,
  parseSearchRequest,
} from '../requestSchemas';
import { createRouter } from '../router';
import {
  type AskAiBackend,
  type BackendCall,
  describedEntity,
  startAskAiBackend,
} from '../testing/askAiBackend';
import { openApiDocument } from './document';

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'api', components: openApiDocument.components });

const validator = (name: string) => ajv.compile({ $ref: `api#/components/schemas/${name}` });

const operations = Object.entries(openApiDocument.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, path, ...operation })),
);

describe('the OpenAPI document', () => {
  it('is valid', async () => {
    const copy = JSON.parse(JSON.stringify(openApiDocument));
    await expect(SwaggerParser.validate(copy)).resolves.toBeDefined();
  });

  it('tells of exactly the calls that the router takes', () => {
    const router = createRouter({
      service: {} as AskAiService,
      runtime: { health: async () => ({ status: 'ok', checks: {} }) },
      httpAuth: mockServices.httpAuth(),
    });
    const taken = router.stack.flatMap(({ route }) =>
      route ? route.stack.map(({ method }) => `${method} ${route.path}`) : [],
    );
    expect(taken.sort()).toEqual(operations.map(({ method, path }) => `${method} ${path}`).sort());
  });

  it.each([
    ['AskRequest', parseAskRequest, { prompt: 'why?' }],
    ['SearchRequest', parseSearchRequest, { query: 'why' }],
    ['FeedbackRequest', parseFeedbackRequest, { answerId: 'a', rating: 'helpful' }],
    ['IndexEntityRequest', parseIndexEntityRequest, { entityRef: 'component:default/a' }],
  ] as const)('takes for a %s what the router takes', (name, parse, valid) => {
    const isValid = validator(name);
    const { properties = {} } = openApiDocument.components.schemas[name] as {
      properties?: Record<string, { enum?: string[] }>;
    };
    // Texts that the schema can't tell apart, such as blank ones and numbers as texts, are left out.
    const value = fc.oneof(
      fc.constantFrom('component:default/a', 'helpful', 'hybrid', 'x'.repeat(40_000)),
      fc.constantFrom<unknown>(
        -1,
        0,
        1,
        3,
        5,
        6,
        100,
        101,
        1.5,
        true,
        null,
        [],
        {},
        { kinds: ['API'] },
      ),
      fc.constantFrom<unknown>({ kind: ['API'] }, { sources: ['web'] }, { minSimilarity: 2 }),
      fc.constantFrom<unknown>(
        [{ role: 'user', content: 'a' }],
        [{ role: 'system', content: 'a' }],
      ),
    );
    const key = fc.constantFrom(...Object.keys(properties), 'unknown');
    const body = fc
      .tuple(
        fc.constantFrom<object>(valid, valid, {}),
        fc.array(fc.tuple(key, value), { maxLength: 2 }),
      )
      .map(([base, changes]) => ({ ...base, ...Object.fromEntries(changes) }));
    let accepted = 0;
    fc.assert(
      fc.property(body, candidate => {
        let isTaken = true;
        try {
          parse(candidate);
        } catch {
          isTaken = false;
        }
        accepted += isTaken ? 1 : 0;
        expect({ candidate, isTaken: isValid(candidate) }).toEqual({ candidate, isTaken });
      }),
      { numRuns: 2_000, seed: 1 },
    );
    expect(accepted).toBeGreaterThan(10);
  });
});

describe('what the backend answers', { timeout: 60_000 }, () => {
  let backend: AskAiBackend;
  const answered = new Set<string>();

  beforeAll(async () => {
    backend = await startAskAiBackend({
      entities: [describedEntity('ledger', 'The ledger books every payment twice.')],
      askAi: {
        vectorStore: { type: 'memory' },
        questions: { keepTexts: true },
        rateLimit: { searchesPerSecond: 1 },
      },
    });
  });

  afterAll(async () => {
    await backend?.stop();
  });

  /** Makes a call and compares status, type and body with the document. */
  const check = async (method: string, path: string, call: BackendCall = {}) => {
    const response = await backend.fetch(path, { ...call, method: method.toUpperCase() });
    const text = await response.text();
    const operation = operations.find(
      known => known.method === method && known.path === path.split('?')[0],
    );
    const label = `${method} ${path} ${response.status}`;
    const documented = operation?.responses[response.status] as
      | { content?: Record<string, { schema: object }> }
      | undefined;
    expect({ label, isDocumented: documented !== undefined }).toEqual({
      label,
      isDocumented: true,
    });
    answered.add(`${operation?.operationId} ${response.status}`);
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    const schema = documented?.content?.[type]?.schema as { $ref?: string } | undefined;
    expect({ label, hasBody: text !== '' }).toEqual({ label, hasBody: schema !== undefined });
    const name = schema?.$ref?.split('/').at(-1);
    if (name) {
      const isValid = validator(name);
      for (const line of type === 'application/x-ndjson' ? text.trim().split('\n') : [text]) {
        isValid(JSON.parse(line));
        expect({ label, errors: isValid.errors }).toEqual({ label, errors: null });
      }
    }
    return { response, text };
  };

  it('is what the document says, for every call', async () => {
    const prompt = 'What does the ledger book?';
    const { text } = await check('post', '/', { body: { prompt } });
    await check('post', '/', { body: { prompt }, accept: 'text/event-stream' });
    await check('post', '/', { body: { prompt: 1 } });
    await check('post', '/', { body: { prompt: 'Which wine goes with grilled octopus?' } });
    await check('post', '/', { body: 'x'.repeat(3_000_000) });
    await check('post', '/search', { body: { query: 'payment', neighbours: 1 } });
    await check('post', '/search', { body: { query: 'payment', mode: 'keyword' } });
    await check('post', '/search', { body: { query: '' } });
    for (const path of ['/', '/search', '/feedback', '/index', '/index/entity']) {
      const { response } = await check('post', path, { body: {}, contentType: 'text/plain' });
      expect({ path, status: response.status }).toEqual({ path, status: 415 });
    }
    const user = 'user:default/hasty';
    await check('post', '/search', { user, body: { query: 'payment' } });
    const { response } = await check('post', '/search', { user, body: { query: 'payment' } });
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
    const { id } = JSON.parse(text);
    await check('post', '/feedback', { body: { answerId: id, rating: 'helpful' } });
    await check('post', '/feedback', { body: { answerId: 'none', rating: 'helpful' } });
    await check('post', '/feedback', { body: {} });
    await check('get', '/questions/unanswered');
    await check('post', '/index', { body: {} });
    await check('post', '/index', { body: { unknown: 1 } });
    await check('post', '/index/entity', { body: { entityRef: 'component:default/ledger' } });
    await check('post', '/index/entity', { body: { entityRef: 'component:default/nobody' } });
    await check('post', '/index/entity', { body: {} });
    await check('delete', '/index/run');
    await check('get', '/index/export');
    await check('get', '/index/status');
    await check('delete', '/index?entityId=component:default/nobody');
    await check('delete', '/index?unknown=1');
    await check('get', '/health');
    await check('get', '/openapi.json');

    for (const { method, path, operationId, responses } of operations) {
      const successes = Object.keys(responses).filter(status => status.startsWith('2'));
      expect(successes.map(status => `${operationId} ${status}`)).toEqual(
        successes.map(status => `${operationId} ${status}`).filter(name => answered.has(name)),
      );
      if (path !== '/health') {
        const refused = await fetch(`${backend.url}${path}`, {
          method: method.toUpperCase(),
          headers: { authorization: mockCredentials.none.header() },
        });
        expect({ path, status: refused.status }).toEqual({ path, status: 401 });
      }
    }
  });
});
