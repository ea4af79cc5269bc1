import { ResponseError } from '@backstage/errors';
import { createParser } from 'eventsource-parser';
import type {
  AskEvent,
  AskRequest,
  AskResponse,
  FeedbackRequest,
  IndexStarted,
  IndexStatus,
  SearchRequest,
  SearchResponse,
  StreamError,
  UnansweredQuestions,
} from './api';

/** What the client needs of Backstage's APIs of the same names, in a browser or in a backend. */
export interface AskAiClientOptions {
  discoveryApi: { getBaseUrl(pluginId: string): Promise<string> };
  /** Default: the global `fetch`, which sends no credentials by itself. */
  fetchApi?: { fetch: typeof fetch };
}

/** Options of one call. */
export interface AskAiRequestOptions {
  /** Sent as a bearer token; not needed where `fetchApi` adds the user's. */
  token?: string;
  /** Ends the call. */
  signal?: AbortSignal;
}

/** An answer that broke off while it was written. */
export class AskAiStreamError extends Error {
  override readonly name = 'AskAiStreamError';
  readonly statusCode: number;

  constructor({ error, response }: StreamError) {
    super(error.message);
    this.statusCode = response.statusCode;
  }
}

/**
 * Calls the ask-ai backend. Every call rejects with a `ResponseError` of `@backstage/errors` when the
 * backend refuses it.
 */
export class AskAiClient {
  private readonly discoveryApi: AskAiClientOptions['discoveryApi'];
  private readonly fetch: typeof fetch;

  constructor({ discoveryApi, fetchApi }: AskAiClientOptions) {
    this.discoveryApi = discoveryApi;
    this.fetch = fetchApi ? (...call) => fetchApi.fetch(...call) : (...call) => fetch(...call);
  }

  ask(request: AskRequest, options?: AskAiRequestOptions): Promise<AskResponse> {
    return this.json('POST', '/', request, options);
  }

  /**
   * The same, piece by piece; the last event is `done`. Stopping the iteration ends the call.
   *
   * @throws AskAiStreamError when the answer breaks off.
   */
  async *askInPieces(
    request: AskRequest,
    options?: AskAiRequestOptions,
  ): AsyncGenerator<Exclude<AskEvent, { event: 'error' }>, void, undefined> {
    const response = await this.call('POST', '/', request, options, 'text/event-stream');
    for await (const event of readEvents(response)) {
      if (event.event === 'error') {
        throw new AskAiStreamError(event.data);
      }
      yield event;
      if (event.event === 'done') {
        return;
      }
    }
    throw new AskAiStreamError({
      error: { name: 'Error', message: 'The connection was closed before the answer was complete' },
      response: { statusCode: 502 },
    });
  }

  search(request: SearchRequest, options?: AskAiRequestOptions): Promise<SearchResponse> {
    return this.json('POST', '/search', request, options);
  }

  async rate(feedback: FeedbackRequest, options?: AskAiRequestOptions): Promise<void> {
    await this.call('POST', '/feedback', feedback, options);
  }

  unansweredQuestions(options?: AskAiRequestOptions): Promise<UnansweredQuestions> {
    return this.json('GET', '/questions/unanswered', undefined, options);
  }

  indexStatus(options?: AskAiRequestOptions): Promise<IndexStatus> {
    return this.json('GET', '/index/status', undefined, options);
  }

  /** Brings the index up to date, as a whole or for one entity. */
  startIndex(
    request: { entityRef?: string } = {},
    options?: AskAiRequestOptions,
  ): Promise<IndexStarted> {
    const path = request.entityRef === undefined ? '/index' : '/index/entity';
    return this.json('POST', path, request, options);
  }

  cancelIndex(options?: AskAiRequestOptions): Promise<{ cancelled: boolean }> {
    return this.json('DELETE', '/index/run', undefined, options);
  }

  /** Removes everything from the index, or what belongs to one entity. */
  async clearIndex(
    request: { entityId?: string } = {},
    options?: AskAiRequestOptions,
  ): Promise<void> {
    const { entityId } = request;
    const query = entityId === undefined ? '' : `?entityId=${encodeURIComponent(entityId)}`;
    await this.call('DELETE', `/index${query}`, undefined, options);
  }

  private async json<T>(
    method: string,
    path: string,
    body: unknown,
    options: AskAiRequestOptions | undefined,
  ): Promise<T> {
    const response = await this.call(method, path, body, options);
    return (await response.json()) as T;
  }

  private async call(
    method: string,
    path: string,
    body: unknown,
    { token, signal }: AskAiRequestOptions = {},
    accept = 'application/json',
  ): Promise<Response> {
    const baseUrl = await this.discoveryApi.getBaseUrl('ask-ai');
    const response = await this.fetch(`${baseUrl}${path}`, {
      method,
      signal,
      headers: {
        accept,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) {
      throw await ResponseError.fromResponse(response);
    }
    return response;
  }
}

async function* readEvents(response: Response): AsyncGenerator<AskEvent, void, undefined> {
  const reader = response.body?.getReader();
  if (!reader) {
    return;
  }
  const events: AskEvent[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      events.push({ event, data: JSON.parse(data) } as AskEvent);
    },
  });
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* events.splice(0);
    }
  } finally {
    await reader.cancel();
  }
}
