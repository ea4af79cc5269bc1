import type { EmbeddingProvider } from 'backstage-plugin-ask-ai-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OllamaEmbeddingProvider } from '../providers/OllamaEmbeddingProvider';
import { OpenAiEmbeddingProvider } from '../providers/OpenAiEmbeddingProvider';
import { FakeClock } from '../testing/fakeClock';
import { type Fault, type TestModelServer, wrongEmbeddings } from '../testing/modelServer';
import { TestOllamaServer } from '../testing/ollamaServer';
import { TestOpenAiServer } from '../testing/openAiServer';
import { embedTexts } from './embed';

interface Vendor {
  name: string;
  start(): Promise<TestModelServer>;
  create(baseUrl: string, timeoutMs: number): EmbeddingProvider;
}

const MODEL = { model: 'model', maxTextsPerCall: 4, maxParallelCalls: 2 };

/** Long enough for a busy machine to answer within it. */
const TIMEOUT_MS = 200;

const VENDORS: Vendor[] = [
  {
    name: 'Ollama',
    async start() {
      const server = await TestOllamaServer.start();
      server.models.set('model', { dimensions: 16, maxWords: 12 });
      return server;
    },
    create: (baseUrl, timeoutMs) =>
      OllamaEmbeddingProvider.create({ ...MODEL, baseUrl, timeoutMs }),
  },
  {
    name: "OpenAI's protocol",
    async start() {
      const server = await TestOpenAiServer.start();
      server.models.set('model', { dimensions: 16, maxWords: 12 });
      return server;
    },
    create: (baseUrl, timeoutMs) =>
      OpenAiEmbeddingProvider.create({ ...MODEL, baseUrl, timeoutMs }),
  },
];

const FAULTS: [name: string, fault: Fault][] = [
  ['answers 429', { kind: 'status', status: 429, headers: { 'retry-after': '2' } }],
  ['answers 500', { kind: 'status', status: 500 }],
  ['hangs', { kind: 'hang' }],
  ['closes the connection', { kind: 'close' }],
  ['closes the connection midway', { kind: 'closeMidway' }],
  ['answers invalid JSON', { kind: 'text', body: '{"data": [' }],
  ['answers the wrong count', wrongEmbeddings.count],
  ['answers the wrong dimension', wrongEmbeddings.everyDimension],
  ['answers mixed dimensions', wrongEmbeddings.dimension],
  ['answers null', wrongEmbeddings.null],
  ['answers NaN', wrongEmbeddings.NaN],
  ['answers zeros', wrongEmbeddings.zeros],
];

const TEXTS = Array.from({ length: 10 }, (_, index) => `text number ${index}`);

describe.each(VENDORS)('embedTexts over $name', ({ start, create }) => {
  let server: TestModelServer;
  let reference: Awaited<ReturnType<typeof embedTexts>>['results'];
  beforeEach(async () => {
    server = await start();
    reference = (await embed()).results;
  });
  afterEach(() => server.close());

  const embed = (texts = TEXTS, timeoutMs = TIMEOUT_MS) =>
    embedTexts(create(server.url, timeoutMs), texts, {
      purpose: 'document',
      expectedDimensions: 16,
      clock: new FakeClock(),
    });

  it.each(FAULTS)('gives the same vectors when the server %s once', async (_, fault) => {
    server.fail(fault);
    expect((await embed()).results).toEqual(reference);
  });

  it.each(FAULTS)('fails one text alone when the server %s for it', async (_, fault) => {
    server.fail(fault, {
      times: Number.POSITIVE_INFINITY,
      when: ({ body }) => JSON.stringify(body).includes('text number 6'),
    });
    const { results } = await embed();
    expect(results[6]).toEqual({ error: expect.any(Error) });
    expect(results.toSpliced(6, 1)).toEqual(reference.toSpliced(6, 1));
  });

  it.each(FAULTS)('rejects when the server %s for ever', async (_, fault) => {
    server.fail(fault, { times: Number.POSITIVE_INFINITY });
    await expect(embed()).rejects.toMatchObject({
      name: expect.stringMatching(/^(ProviderError|DimensionMismatchError)$/),
    });
  });

  it('embeds a text that is too long for the server', async () => {
    const long = Array.from({ length: 40 }, (_, index) => `word${index}`).join(' ');
    const { results } = await embed([...TEXTS, long]);
    expect(results.slice(0, 10)).toEqual(reference);
    expect(results[10]).toEqual({ vector: expect.any(Float32Array) });
  });

  it('leaves the server at once when the signal aborts', async () => {
    server.fail({ kind: 'hang' }, { times: 2 });
    const controller = new AbortController();
    const before = server.requests.length;
    const result = embedTexts(create(server.url, 60_000), TEXTS, {
      purpose: 'document',
      signal: controller.signal,
    });
    await server.nextRequest();
    controller.abort(new Error('shutting down'));
    await expect(result).rejects.toThrow('shutting down');
    await expect(server.requests[before]?.closed).resolves.toEqual({ early: true });
  });
});
