import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request as the server received it. */
export interface ReceivedRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  /** Parsed from JSON; `undefined` when there was none. */
  body: Record<string, unknown> | undefined;
  /** Settles with whether the client left before the answer was complete. */
  closed: Promise<{ early: boolean }>;
}

/** What a server does instead of answering. */
export type Fault =
  | { kind: 'status'; status: number; body?: unknown; headers?: Record<string, string> }
  /** Takes the request and never answers. */
  | { kind: 'hang' }
  /** Closes the connection before the first byte. */
  | { kind: 'close' }
  /** Closes the connection in the middle of the answer. */
  | { kind: 'closeMidway' }
  /** Answers 200 with this. */
  | { kind: 'text'; body: string }
  /** Answers embeddings that are not what the model gives. */
  | { kind: 'embeddings'; change(embeddings: number[][]): unknown[] };

/** An answer; a list of chunks is streamed, and held open behind the last one when `isHeld`. */
export interface Answer {
  status?: number;
  contentType?: string;
  chunks: string[];
  isHeld?: boolean;
}

/** The faults of an embedding that a server may answer. */
export const wrongEmbeddings = {
  count: { kind: 'embeddings', change: embeddings => embeddings.slice(1) },
  dimension: {
    kind: 'embeddings',
    change: embeddings =>
      embeddings.map((embedding, i) => (i === 0 ? embedding.slice(1) : embedding)),
  },
  everyDimension: {
    kind: 'embeddings',
    change: embeddings => embeddings.map(embedding => embedding.slice(1)),
  },
  null: {
    kind: 'embeddings',
    change: embeddings => embeddings.map(embedding => [null, ...embedding.slice(1)]),
  },
  NaN: {
    kind: 'embeddings',
    change: embeddings => embeddings.map(embedding => [Number.NaN, ...embedding.slice(1)]),
  },
  zeros: {
    kind: 'embeddings',
    change: embeddings => embeddings.map(embedding => embedding.map(() => 0)),
  },
} satisfies Record<string, Fault>;

/** A model server on 127.0.0.1 that records what it is asked and fails as it is told. */
export abstract class TestModelServer {
  /** In the order in which they came. */
  readonly requests: ReceivedRequest[] = [];
  private readonly scripted: {
    fault: Fault;
    matches(request: ReceivedRequest): boolean;
    times: number;
  }[] = [];
  private readonly received = new EventEmitter();
  private readonly server: Server = createServer((request, response) => {
    void this.handle(request, response);
  });

  /** For example `http://127.0.0.1:41234`. */
  url = '';

  /** Called for every request; the answer waits for it. */
  beforeAnswer: (request: ReceivedRequest) => Promise<void> | void = () => {};

  /** Fails the next requests that match. */
  fail(
    fault: Fault,
    {
      times = 1,
      when = () => true,
    }: { times?: number; when?(request: ReceivedRequest): boolean } = {},
  ): void {
    this.scripted.push({ fault, times, matches: when });
  }

  /** From now on, answers what comes. */
  stopFailing(): void {
    this.scripted.length = 0;
  }

  /** The next request that comes in. */
  async nextRequest(): Promise<ReceivedRequest> {
    const [request] = await once(this.received, 'request');
    return request;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  protected async listen(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What the vendor's server answers; `change` is a fault of its embeddings. */
  protected abstract answer(
    request: ReceivedRequest,
    change: (embeddings: number[][]) => unknown[],
  ): Answer;

  private async handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = once(response, 'close').then(() => ({ early: !response.writableFinished }));
    const request = await receive(incoming, closed);
    this.requests.push(request);
    this.received.emit('request', request);
    await this.beforeAnswer(request);
    const fault = this.takeFault(request);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'close') {
      incoming.socket.destroy();
      return;
    }
    const answer = this.answerOrFault(request, fault);
    const headers = fault?.kind === 'status' ? fault.headers : undefined;
    response.writeHead(answer.status ?? 200, {
      'content-type': answer.contentType ?? 'application/json; charset=utf-8',
      ...headers,
    });
    if (fault?.kind === 'closeMidway') {
      const whole = answer.chunks.join('');
      response.write(whole.slice(0, whole.length / 2), () => incoming.socket.destroy());
      return;
    }
    for (const chunk of answer.chunks) response.write(chunk);
    if (!answer.isHeld) response.end();
  }

  private answerOrFault(request: ReceivedRequest, fault: Fault | undefined): Answer {
    if (fault?.kind === 'status') {
      return {
        status: fault.status,
        chunks: [JSON.stringify(fault.body ?? { error: 'as scripted' })],
      };
    }
    if (fault?.kind === 'text') return { chunks: [fault.body] };
    return this.answer(
      request,
      fault?.kind === 'embeddings' ? fault.change : embeddings => embeddings,
    );
  }

  private takeFault(request: ReceivedRequest): Fault | undefined {
    const script = this.scripted.find(({ times, matches }) => times > 0 && matches(request));
    if (script) script.times -= 1;
    return script?.fault;
  }
}

async function receive(
  incoming: IncomingMessage,
  closed: ReceivedRequest['closed'],
): Promise<ReceivedRequest> {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  const body = await text(incoming);
  return {
    method: incoming.method ?? 'GET',
    path: pathname,
    query: searchParams,
    headers: incoming.headers,
    body: body === '' ? undefined : JSON.parse(body),
    closed,
  };
}

/** Vectors that differ by text and are the same every time; unit length. */
export function testEmbedding(textToEmbed: string, dimensions: number): number[] {
  let state = 1;
  for (const character of textToEmbed)
    state = (state * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  const numbers = Array.from({ length: dimensions }, () => {
    state = (state * 75 + 74) % 65_537;
    return state / 65_537 - 0.5;
  });
  const norm = Math.hypot(...numbers);
  return numbers.map(number => number / norm);
}

/** JSON as other languages write it: with NaN and Infinity bare. */
export function looseJson(value: unknown): string {
  const marked = JSON.stringify(value, (_, item) =>
    typeof item === 'number' && !Number.isFinite(item) ? `\0${item}\0` : item,
  );
  return marked.replace(/"\\u0000([^"\\]+)\\u0000"/g, '$1');
}
