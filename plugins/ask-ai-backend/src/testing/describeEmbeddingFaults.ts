import type { EmbeddingProvider } from 'backstage-plugin-ask-ai-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fault, type TestModelServer, wrongEmbeddings } from './modelServer';

/** What the suite is run against. */
export interface EmbeddingFaultsOptions<Server extends TestModelServer> {
  start(): Promise<Server>;
  /** A model that the server has. */
  create(server: { url: string }, options?: { timeoutMs?: number }): EmbeddingProvider;
}

interface FaultCase {
  title: string;
  fault: Fault;
  /** What the error must say. */
  says: RegExp;
  isRetryable: boolean;
  responseStatus?: number;
}

const FAULTS: FaultCase[] = [
  {
    title: 'a status of 500',
    fault: { kind: 'status', status: 500, body: { error: 'out of memory' } },
    says: /answered 500: out of memory/,
    isRetryable: true,
    responseStatus: 500,
  },
  {
    title: 'a status of 503 without JSON',
    fault: { kind: 'status', status: 503, body: 'no backend' },
    says: /answered 503: "no backend"/,
    isRetryable: true,
    responseStatus: 503,
  },
  {
    title: 'a status of 408',
    fault: { kind: 'status', status: 408 },
    says: /answered 408/,
    isRetryable: true,
    responseStatus: 408,
  },
  {
    title: 'a status of 400',
    fault: { kind: 'status', status: 400, body: { error: { message: 'bad input' } } },
    says: /answered 400: bad input/,
    isRetryable: false,
    responseStatus: 400,
  },
  {
    title: 'a redirection',
    fault: {
      kind: 'status',
      status: 307,
      headers: { location: 'http://elsewhere.test/x?token=1' },
    },
    says: /moved to http:\/\/elsewhere\.test\/x: set its new URL/,
    isRetryable: false,
    responseStatus: 307,
  },
  {
    title: 'a redirection to nowhere',
    fault: { kind: 'status', status: 302, headers: { location: 'http://' } },
    says: /moved to an address that is no URL: set its new URL/,
    isRetryable: false,
    responseStatus: 302,
  },
  { title: 'a closed connection', fault: { kind: 'close' }, says: /broke off/, isRetryable: true },
  {
    title: 'a connection closed in the middle of the answer',
    fault: { kind: 'closeMidway' },
    says: /broke off/,
    isRetryable: true,
  },
  {
    title: 'an answer that is not JSON',
    fault: { kind: 'text', body: '<html>Sign in</html>' },
    says: /not valid JSON/,
    isRetryable: true,
  },
  {
    title: 'an answer that is cut off',
    fault: { kind: 'text', body: '{"embeddings": [[0.1' },
    says: /not valid JSON/,
    isRetryable: true,
  },
  {
    title: 'an answer without embeddings',
    fault: { kind: 'text', body: '{}' },
    says: /no list of embeddings/,
    isRetryable: true,
  },
  {
    title: 'too few embeddings',
    fault: wrongEmbeddings.count,
    says: /1 embeddings for 2 texts/,
    isRetryable: true,
  },
  {
    title: 'embeddings of different dimensions',
    fault: wrongEmbeddings.dimension,
    says: /\d+ numbers in embedding 1, expected \d+/,
    isRetryable: true,
  },
  {
    title: 'an embedding of zeros',
    fault: wrongEmbeddings.zeros,
    says: /nothing but zeros in embedding 0/,
    isRetryable: true,
  },
];

/** What every embedding provider with a server does when that server fails. */
export function describeEmbeddingFaults<Server extends TestModelServer>({
  start,
  create,
}: EmbeddingFaultsOptions<Server>): void {
  describe('when the server fails', () => {
    let server: Server;
    beforeEach(async () => {
      server = await start();
    });
    afterEach(() => server.close());

    const embed = (provider: EmbeddingProvider, signal?: AbortSignal) =>
      provider.embed(['one', 'two'], { purpose: 'document', signal });

    it.each(FAULTS)('names $title', async ({ fault, says, isRetryable, responseStatus }) => {
      server.fail(fault);
      await expect(embed(create(server))).rejects.toMatchObject({
        name: 'ProviderError',
        message: expect.stringMatching(says),
        url: server.url,
        isRetryable,
        responseStatus,
      });
      await expect(embed(create(server))).resolves.toBeDefined();
    });

    it('tells the time of Retry-After in seconds', async () => {
      server.fail({ kind: 'status', status: 429, headers: { 'retry-after': '7' } });
      await expect(embed(create(server))).rejects.toMatchObject({
        isRetryable: true,
        responseStatus: 429,
        retryAfterMs: 7_000,
      });
    });

    it('tells the time of Retry-After as a date', async () => {
      const date = new Date(Date.now() + 60_000).toUTCString();
      server.fail({ kind: 'status', status: 429, headers: { 'retry-after': date } });
      const error = await embed(create(server)).catch(reason => reason);
      expect(error.retryAfterMs).toBeGreaterThan(50_000);
      expect(error.retryAfterMs).toBeLessThanOrEqual(60_000);
    });

    it('tells no time when Retry-After makes no sense', async () => {
      server.fail({ kind: 'status', status: 429, headers: { 'retry-after': 'soon' } });
      await expect(embed(create(server))).rejects.toMatchObject({ retryAfterMs: undefined });
    });

    it('does not wait for a server that hangs beyond its time limit, and leaves', async () => {
      server.fail({ kind: 'hang' });
      await expect(embed(create(server, { timeoutMs: 50 }))).rejects.toMatchObject({
        message: expect.stringContaining('gave no answer within 50 ms'),
        isRetryable: true,
      });
      await expect(server.requests[0]?.closed).resolves.toEqual({ early: true });
    });

    it('leaves at once when the signal aborts', async () => {
      server.fail({ kind: 'hang' });
      const controller = new AbortController();
      const result = embed(create(server), controller.signal);
      await server.nextRequest();
      controller.abort(new Error('shutting down'));
      await expect(result).rejects.toThrow('shutting down');
      await expect(server.requests[0]?.closed).resolves.toEqual({ early: true });
    });

    it('asks nothing when the signal has aborted before', async () => {
      const signal = AbortSignal.abort(new Error('shut down'));
      await expect(embed(create(server), signal)).rejects.toThrow('shut down');
      expect(server.requests).toEqual([]);
    });

    it('does not remember a failure to tell the dimensions', async () => {
      const provider = create(server);
      server.fail({ kind: 'status', status: 500 });
      await expect(provider.dimensions()).rejects.toMatchObject({ name: 'ProviderError' });
      await expect(provider.dimensions()).resolves.toBeGreaterThan(0);
    });

    it('asks for the dimensions once', async () => {
      const provider = create(server);
      expect(await provider.dimensions()).toBe(await provider.dimensions());
      expect(server.requests).toHaveLength(1);
    });

    it('asks nothing for no texts', async () => {
      await expect(create(server).embed([], { purpose: 'document' })).resolves.toEqual({
        vectors: [],
      });
      expect(server.requests).toEqual([]);
    });

    it('never calls a second time by itself', async () => {
      server.fail({ kind: 'status', status: 500 }, { times: 9 });
      await expect(embed(create(server))).rejects.toThrow('500');
      expect(server.requests).toHaveLength(1);
    });
  });
}
