import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeEmbeddingFaults } from '../testing/describeEmbeddingFaults';
import { wrongEmbeddings } from '../testing/modelServer';
import { TestOllamaServer } from '../testing/ollamaServer';
import { OllamaEmbeddingProvider } from './OllamaEmbeddingProvider';

describe('OllamaEmbeddingProvider', () => {
  let server: TestOllamaServer;
  beforeEach(async () => {
    server = await TestOllamaServer.start();
  });
  afterEach(() => server.close());

  const create = (options: { model?: string; dimensions?: number } = {}) =>
    OllamaEmbeddingProvider.create({ model: 'all-minilm', baseUrl: server.url, ...options });

  it('gives a vector for each text, in order', async () => {
    const provider = create();
    const { vectors, tokens } = await provider.embed(['roll back', 'deploy'], {
      purpose: 'document',
    });
    const [alone] = (await provider.embed(['deploy'], { purpose: 'document' })).vectors;
    expect(vectors.map(({ length }) => length)).toEqual([384, 384]);
    expect(vectors[1]).toEqual(alone);
    expect(vectors[0]).not.toEqual(vectors[1]);
    expect(tokens).toBe(3);
    await expect(provider.dimensions()).resolves.toBe(384);
  });

  it('asks for an error instead of a text that is cut off', async () => {
    await create().embed(['text'], { purpose: 'document' });
    expect(server.requests[0]?.body).toEqual({
      model: 'all-minilm',
      input: ['text'],
      truncate: false,
    });
  });

  it('passes the dimensions on and holds the server to them', async () => {
    const provider = create({ dimensions: 128 });
    await expect(provider.dimensions()).resolves.toBe(128);
    server.fail(wrongEmbeddings.everyDimension);
    await expect(provider.embed(['text'], { purpose: 'query' })).rejects.toThrow(
      '127 numbers in embedding 0, expected 128',
    );
  });

  it('puts in front of a text what the model was trained on', async () => {
    server.models.set('nomic-embed-text', { dimensions: 768 });
    const provider = create({ model: 'nomic-embed-text' });
    await provider.embed(['a'], { purpose: 'document' });
    await provider.embed(['b'], { purpose: 'query' });
    expect(server.requests.map(({ body }) => body?.input)).toEqual([
      ['search_document: a'],
      ['search_query: b'],
    ]);
  });

  it.each(['null', 'NaN'] as const)('names an embedding with %s', async fault => {
    server.fail(wrongEmbeddings[fault]);
    await expect(create().embed(['text'], { purpose: 'query' })).rejects.toMatchObject({
      message: expect.stringMatching(
        fault === 'null' ? /null, not a number, in embedding 0/ : /not valid JSON/,
      ),
      isRetryable: true,
    });
  });

  it('names a model that the server lacks, with the command that pulls it', async () => {
    const provider = create({ model: 'bge-m3' });
    const failure = {
      name: 'ProviderError',
      message: `Ollama at ${server.url} does not have the model bge-m3: pull it with \`ollama pull bge-m3\`, or set askAi.embeddingModel to one that it has`,
      isRetryable: false,
      responseStatus: 404,
    };
    await expect(provider.embed(['text'], { purpose: 'query' })).rejects.toMatchObject(failure);
    await expect(provider.check()).rejects.toMatchObject(failure);
  });

  it('names a text that is too long', async () => {
    server.models.set('all-minilm', { dimensions: 384, maxWords: 2 });
    await expect(create().embed(['one two three'], { purpose: 'query' })).rejects.toMatchObject({
      name: 'ProviderError',
      isInputTooLong: true,
      isRetryable: false,
    });
  });

  it('checks that the model is there and embeds', async () => {
    await expect(create().check()).resolves.toBeUndefined();
    await expect(create({ model: 'llama3.2' }).check()).rejects.toThrow(
      'does not embed: set askAi.embeddingModel',
    );
  });

  it('tells who answers when it is not Ollama', async () => {
    const provider = OllamaEmbeddingProvider.create({
      model: 'all-minilm',
      baseUrl: `${server.url}/elsewhere`,
    });
    await expect(provider.check()).rejects.toThrow('is not Ollama (404): set askAi.ollamaBaseUrl');
  });

  it('says how to start a server that is not there', async () => {
    const provider = create();
    const { url } = server;
    await server.close();
    await expect(provider.check()).rejects.toMatchObject({
      message: `Ollama does not answer at ${url} (ECONNREFUSED): start it with \`ollama serve\`, or set askAi.ollamaBaseUrl`,
      isRetryable: true,
      url,
    });
  });

  it('sends the credentials of the URL as a header and shows them nowhere', async () => {
    const baseUrl = server.url.replace('//', '//ada:love%21lace@');
    const provider = OllamaEmbeddingProvider.create({ model: 'all-minilm', baseUrl });
    server.fail({ kind: 'status', status: 500, body: { error: 'password love!lace is wrong' } });
    const error = await provider.embed(['text'], { purpose: 'query' }).catch(reason => reason);
    const expected = `Basic ${Buffer.from('ada:love!lace').toString('base64')}`;
    expect(server.requests[0]?.headers.authorization).toBe(expected);
    expect(error.message).toBe(
      `Ollama at ${server.url} answered 500: password [redacted] is wrong`,
    );
  });

  describeEmbeddingFaults({
    start: () => TestOllamaServer.start(),
    create: ({ url }, options) =>
      OllamaEmbeddingProvider.create({ model: 'all-minilm', baseUrl: url, ...options }),
  });
});
