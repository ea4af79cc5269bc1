import type { HttpAuthService } from '@backstage/backend-plugin-api';
import express, {
  type ErrorRequestHandler,
  type Request,
  type Response,
  type Router,
} from 'express';
import PromiseRouter from 'express-promise-router';
import type { AskAiService, Caller } from './AskAiService';
import { CircuitOpenError, TooManyRequestsError } from './errors';
import { openApiDocument } from './openapi/document';
import {
  parseAskRequest,
  parseClearQuery,
  parseFeedbackRequest,
  parseIndexEntityRequest,
  parseIndexRequest,
  parseSearchRequest,
} from './requestSchemas';
import { passOverClientLeft, whenClientLeaves } from './router/clientLeft';
import { sendEvents, wantsEvents } from './router/eventStream';
import { sendNdjson } from './router/ndjson';
import { OpenRequests } from './router/OpenRequests';
import { onlyJson } from './router/onlyJson';
import type { AskAiRuntime } from './runtime';

/** What the router needs. */
export interface RouterOptions {
  service: AskAiService;
  runtime: Pick<AskAiRuntime, 'health'>;
  httpAuth: HttpAuthService;
  /** Default: a count of its own. */
  requests?: OpenRequests;
}

/** Largest body, as Express writes it: a question with a long history. */
const BODY_LIMIT = '2mb';

/** HTTP under `/api/ask-ai`: parse, call one use case, shape the reply. */
export function createRouter(options: RouterOptions): Router {
  const { service, runtime, httpAuth, requests = new OpenRequests() } = options;
  const router = PromiseRouter();
  router.use((_request, response, next) => {
    response.locals.shutdown = requests.admit(response);
    next();
  });
  router.use(express.json({ limit: BODY_LIMIT }));

  router.get('/health', async (_request, response) => {
    const health = await runtime.health();
    response.status(health.status === 'ok' ? 200 : 503).json(health);
  });

  /** Everything but /health needs a caller that Backstage knows. */
  const callerOf = async (request: Request, response: Response): Promise<Required<Caller>> => ({
    credentials: await httpAuth.credentials(request, { allow: ['user', 'service'] }),
    signal: AbortSignal.any([whenClientLeaves(response), response.locals.shutdown]),
    request,
  });

  router.use(async (request, _response, next) => {
    await httpAuth.credentials(request, { allow: ['user', 'service'] });
    next();
  });
  router.use(onlyJson);

  router.get('/openapi.json', (_request, response) => {
    response.json(openApiDocument);
  });

  router.post('/', async (request, response) => {
    const body = parseAskRequest(request.body);
    const caller = await callerOf(request, response);
    if (wantsEvents(request)) {
      await sendEvents(response, service.askInPieces(body, caller), caller.signal);
    } else {
      response.json(await service.ask(body, caller));
    }
  });

  router.post('/search', async (request, response) => {
    const body = parseSearchRequest(request.body);
    response.json(await service.search(body, await callerOf(request, response)));
  });

  router.post('/feedback', async (request, response) => {
    const body = parseFeedbackRequest(request.body);
    await service.rate(body, await callerOf(request, response));
    response.status(204).end();
  });

  router.get('/questions/unanswered', async (request, response) => {
    response.json(await service.unansweredQuestions(await callerOf(request, response)));
  });

  router.post('/index', async (request, response) => {
    parseIndexRequest(request.body);
    const caller = await callerOf(request, response);
    response.status(202).json(await service.startIndex(undefined, caller));
  });

  router.post('/index/entity', async (request, response) => {
    const { entityRef } = parseIndexEntityRequest(request.body);
    const caller = await callerOf(request, response);
    response.status(202).json(await service.startIndex(entityRef, caller));
  });

  router.delete('/index/run', async (request, response) => {
    response.json({ cancelled: await service.cancelIndex(await callerOf(request, response)) });
  });

  router.delete('/index', async (request, response) => {
    const { entityId } = parseClearQuery(request.query);
    await service.clear(entityId, await callerOf(request, response));
    response.status(204).end();
  });

  router.get('/index/export', async (request, response) => {
    await sendNdjson(response, service.export(await callerOf(request, response)));
  });

  router.get('/index/status', async (request, response) => {
    response.json(await service.status(await callerOf(request, response)));
  });

  router.use(passOverClientLeft, tellWhenToRetry);
  return router;
}

/** Backstage's own error handler answers; it knows no such header. */
const tellWhenToRetry: ErrorRequestHandler = (error, _request, response, next) => {
  const isTold = error instanceof TooManyRequestsError || error instanceof CircuitOpenError;
  if (isTold && !response.headersSent) {
    response.setHeader('retry-after', Math.max(1, Math.ceil(error.retryAfterMs / 1_000)));
  }
  next(error);
};
