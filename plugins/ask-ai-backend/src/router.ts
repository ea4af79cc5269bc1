import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HttpAuthService } from '@backstage/backend-plugin-api';
import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import express, { type Router } from 'express';
import PromiseRouter from 'express-promise-router';
import {
  parseAskRequest,
  parseClearQuery,
  parseIndexEntityRequest,
  parseIndexRequest,
  parseSearchRequest,
} from './requestSchemas';
import type { AskAiRuntime } from './runtime';

/** What the router needs. */
export interface RouterOptions {
  runtime: AskAiRuntime;
  httpAuth: HttpAuthService;
}

/** Largest body, as Express writes it: a question with a long history. */
const BODY_LIMIT = '2mb';

/** HTTP under `/api/ask-ai`: parse, call one use case, shape the reply. */
export function createRouter({ runtime, httpAuth }: RouterOptions): Router {
  const router = PromiseRouter();
  router.use(express.json({ limit: BODY_LIMIT }));

  router.get('/health', async (_request, response) => {
    const health = await runtime.health();
    response.status(health.status === 'ok' ? 200 : 503).json(health);
  });

  // Everything below needs a caller that Backstage knows.
  router.use(async (request, _response, next) => {
    await httpAuth.credentials(request, { allow: ['user', 'service'] });
    next();
  });

  router.post('/', async (request, response) => {
    const body = parseAskRequest(request.body);
    response.json(await runtime.ask(body, { signal: whenClosed(response) }));
  });

  router.post('/search', async (request, response) => {
    const body = parseSearchRequest(request.body);
    response.json({ results: await runtime.search(body, { signal: whenClosed(response) }) });
  });

  router.post('/index', async (request, response) => {
    parseIndexRequest(request.body);
    const credentials = await httpAuth.credentials(request);
    const started = await runtime.requestIndex({ requestedBy: nameOf(credentials.principal) });
    response.status(202).json(started);
  });

  router.post('/index/entity', async (request, response) => {
    const { entityRef } = parseIndexEntityRequest(request.body);
    const credentials = await httpAuth.credentials(request);
    const started = await runtime.requestIndex({
      entityRef,
      requestedBy: nameOf(credentials.principal),
    });
    response.status(202).json(started);
  });

  router.delete('/index/run', async (_request, response) => {
    response.json({ cancelled: await runtime.cancelIndex() });
  });

  router.delete('/index', async (request, response) => {
    const { entityId } = parseClearQuery(request.query);
    await runtime.clear(entityId);
    response.status(204).end();
  });

  router.get('/index/export', async (_request, response) => {
    const lines = await startedLines(runtime.export());
    response.type('application/x-ndjson');
    await pipeline(Readable.from(lines, { objectMode: false }), response);
  });

  router.get('/index/status', async (_request, response) => {
    response.json(await runtime.status());
  });

  return router;
}

/** Characters that are written to the client at once. */
const PART_LENGTH = 64 * 1024;

/**
 * Embeddings as NDJSON, `vector` as an array of numbers, in parts of about 64 kB. The first is read
 * before it resolves, so that a store that can't be read is answered with a status.
 */
async function startedLines(
  embeddings: AsyncIterable<EmbeddingVector>,
): Promise<AsyncIterable<string>> {
  const parts = toParts(embeddings);
  const first = await parts.next();
  return (async function* () {
    try {
      yield first.value ?? '';
      yield* parts;
    } finally {
      await parts.return(undefined);
    }
  })();
}

async function* toParts(embeddings: AsyncIterable<EmbeddingVector>): AsyncGenerator<string, void> {
  let part = '';
  for await (const { vector, ...embedding } of embeddings) {
    part += `${JSON.stringify({ ...embedding, vector: Array.from(vector) })}\n`;
    if (part.length >= PART_LENGTH) {
      yield part;
      part = '';
    }
  }
  if (part !== '') {
    yield part;
  }
}

/** Aborts when the client leaves before the answer is written. */
function whenClosed(response: express.Response): AbortSignal {
  const controller = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) {
      controller.abort(new Error('The client left.'));
    }
  });
  return controller.signal;
}

/** A user's entity reference, or a service's subject. */
function nameOf(principal: unknown): string | undefined {
  if (typeof principal !== 'object' || principal === null) {
    return undefined;
  }
  const { userEntityRef, subject } = principal as { userEntityRef?: string; subject?: string };
  return userEntityRef ?? subject;
}
