import { ProviderError } from '../errors';
import type { ModelServer } from './modelServer';
import { faultOfAnswer, faultOfFailure, faultOfSilence } from './serverFaults';

/** What a call to a model server is about. */
export interface ServerCall {
  model: string;
  signal?: AbortSignal;
}

/**
 * Calls a model server within its time limit. The vendor's client gets a `fetch` of this call alone,
 * so that what went wrong is known at first hand: the clients change or drop errors, headers and
 * aborts on their way up.
 *
 * @param run - uses the vendor's client, with its own retries off.
 * @throws ProviderError, or the signal's reason.
 */
export async function callServer<T>(
  server: ModelServer,
  call: ServerCall,
  run: (request: typeof fetch) => Promise<T>,
): Promise<T> {
  const request = new ServerRequest(server, call);
  try {
    return await request.within(() => run(request.fetch));
  } finally {
    request.end();
  }
}

/**
 * As `callServer`, for an answer that comes in pieces; the time limit is for the silence before each
 * piece. Leaving the loop closes the connection, whatever the client does: Ollama's leaves it open.
 */
export async function* streamFromServer<T>(
  server: ModelServer,
  call: ServerCall,
  open: (request: typeof fetch) => Promise<AsyncIterable<T>>,
): AsyncGenerator<T, void, undefined> {
  const request = new ServerRequest(server, call);
  try {
    const pieces = await request.within(() => open(request.fetch));
    const iterator = pieces[Symbol.asyncIterator]();
    for (;;) {
      const { done, value } = await request.within(() => iterator.next());
      if (done) return;
      yield value;
    }
  } finally {
    request.end();
  }
}

class ServerRequest {
  private readonly controller = new AbortController();
  private failure: unknown;

  constructor(
    private readonly server: ModelServer,
    private readonly call: ServerCall,
  ) {
    call.signal?.throwIfAborted();
    call.signal?.addEventListener('abort', this.abort);
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const { signal } = this.controller;
    try {
      // A redirection would carry the credentials to another host.
      const response = await this.server.fetch(input, { ...init, signal, redirect: 'manual' });
      if (response.ok) return response;
      throw await faultOfAnswer(this.server, response, this.call.model);
    } catch (error) {
      this.failure = error;
      throw error;
    }
  };

  /** Waits for one step of the call, at most for the server's time limit. */
  async within<T>(step: () => Promise<T>): Promise<T> {
    const timer = setTimeout(
      () => this.controller.abort(faultOfSilence(this.server)),
      this.server.timeoutMs,
    );
    try {
      const result = await step();
      // Required because OpenAI's client takes an abort for the regular end of a stream.
      this.controller.signal.throwIfAborted();
      return result;
    } catch (error) {
      throw this.faultOf(error);
    } finally {
      clearTimeout(timer);
    }
  }

  end(): void {
    this.call.signal?.removeEventListener('abort', this.abort);
    this.controller.abort();
  }

  private readonly abort = () => this.controller.abort(this.call.signal?.reason);

  private faultOf(error: unknown): unknown {
    if (this.controller.signal.aborted) return this.controller.signal.reason;
    const failure = this.failure ?? error;
    return failure instanceof ProviderError ? failure : faultOfFailure(this.server, failure);
  }
}
