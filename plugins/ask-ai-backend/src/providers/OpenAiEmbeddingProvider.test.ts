import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeEmbeddingFaults } from '../testing/describeEmbeddingFaults';
import { wrongEmbeddings } from '../testing/modelServer';
import { TestOpenAiServer } from '../testing/openAiServer';
import { type OpenAiEmbeddingOptions, OpenAiEmbeddingProvider } from './OpenAiEmbeddingProvider';

const MODEL = 'text-embedding-3-small';

describe('OpenAiEmbeddingProvider', () => {
  let server: TestOpenAiServer;
  beforeEach(async () => {
    server = await TestOpenAiServer.start();
  });
  afterEach(() => server.close());

  const create = (options: Partial<OpenAiEmbeddingOptions> = {}) =>
    OpenAiEmbeddingProvider.create({ model: MODEL, baseUrl: `${server.url}/v1`, ...options });

  it('gives a vector for each text, in order, from base64', async () => {
    const { vectors, tokens } = await create().embed(['roll back', 'deploy'], {
      purpose: 'document',
    });
    expect(vectors.map(({ length }) => length)).toEqual([1536, 1536]);
    expect(tokens).toBe(3);
    expect(server.requests[0]?.path).toBe('/v1/embeddings');
    expect(server.requests[0]?.body).toEqual({
      model: MODEL,
      input: ['roll back', 'deploy'],
      encoding_format: 'base64',
    });
  });

  it('takes numbers from a server that does not know base64', async () => {
    const [fromBase64] = (await create().embed(['text'], { purpose: 'query' })).vectors;
    server.ignoresEncodingFormat = true;
    const [fromNumbers] = (await create().embed(['text'], { purpose: 'query' })).vectors;
    expect(fromNumbers).toEqual(fromBase64);
  });

  it('goes by the index of each embedding', async () => {
    const first = { index: 1, embedding: [0, 1] };
    const second = { index: 0, embedding: [1, 0] };
    const answer = (data: unknown) => ({ kind: 'text' as const, body: JSON.stringify({ data }) });
    server.fail(answer([first, second]));
    const { vectors } = await create().embed(['a', 'b'], { purpose: 'query' });
    expect(vectors.map(vector => [...vector])).toEqual([
      [1, 0],
      [0, 1],
    ]);
    server.fail(answer([first, first]));
    await expect(create().embed(['a', 'b'], { purpose: 'query' })).rejects.toThrow(
      'two embeddings for one text',
    );
    server.fail(answer([first, null]));
    await expect(create().embed(['a', 'b'], { purpose: 'query' })).rejects.toThrow(
      'no list of numbers in embedding 1',
    );
  });

  it('passes the dimensions on', async () => {
    await expect(create({ dimensions: 256 }).dimensions()).resolves.toBe(256);
    expect(server.requests[0]?.body).toMatchObject({ dimensions: 256 });
  });

  it.each(['null', 'NaN'] as const)('names an embedding with %s', async fault => {
    server.ignoresEncodingFormat = fault === 'null';
    server.fail(wrongEmbeddings[fault]);
    await expect(create().embed(['text'], { purpose: 'query' })).rejects.toMatchObject({
      message: expect.stringMatching(/(null, not a|NaN, not a finite) number, in embedding 0/),
      isRetryable: true,
    });
  });

  it('sends the key and the headers, and nothing of other programs', async () => {
    await create({ apiKey: 'sk-of-the-plugin', headers: { 'X-Team': 'platform' } }).check();
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer sk-of-the-plugin',
      'x-team': 'platform',
    });
    expect(server.requests[0]?.headers).not.toHaveProperty('openai-organization');
  });

  it('sends no authorisation without a key', async () => {
    await create().check();
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('speaks to Azure', async () => {
    server.apiKey = 'key-of-azure';
    await create({
      baseUrl: `${server.url}/openai/deployments/embeddings`,
      apiKey: 'key-of-azure',
      apiVersion: '2024-10-21',
    }).check();
    const [request] = server.requests;
    expect(request?.path).toBe('/openai/deployments/embeddings/embeddings');
    expect(request?.query.get('api-version')).toBe('2024-10-21');
    expect(request?.headers).toMatchObject({ 'api-key': 'key-of-azure' });
    expect(request?.headers).not.toHaveProperty('authorization');
  });

  it('says which setting holds a refused key, without the key', async () => {
    server.apiKey = 'sk-right';
    const error = await create({ apiKey: 'sk-wrong-key-1234' })
      .check()
      .catch(reason => reason);
    expect(error).toMatchObject({
      message: `The model server at ${server.url}/v1 refused the key (401): check askAi.openai.apiKey`,
      isRetryable: false,
      responseStatus: 401,
    });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('sk-wrong-key-1234');
  });

  it('shows no secret that the server repeats', async () => {
    const secrets = { apiKey: 'sk-secret-key', headers: { Authorization: 'Bearer secret-token' } };
    server.fail({
      kind: 'status',
      status: 500,
      body: { error: { message: 'sk-secret-key and secret-token are odd' } },
    });
    const error = await create(secrets)
      .check()
      .catch(reason => reason);
    expect(error.message).toContain('[redacted] and [redacted] are odd');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/secret-(key|token)/);
  });

  it('says which setting holds a model that is not there', async () => {
    await expect(create({ model: 'text-embedding-9' }).check()).rejects.toMatchObject({
      message: `The model server at ${server.url}/v1 does not have the model text-embedding-9 (404): check askAi.embeddingModel and askAi.openai.baseUrl`,
      isRetryable: false,
      responseStatus: 404,
    });
  });

  it('does not wait for a quota that is used up', async () => {
    server.fail({
      kind: 'status',
      status: 429,
      body: { error: { message: 'You exceeded your quota', code: 'insufficient_quota' } },
    });
    await expect(create().check()).rejects.toMatchObject({
      message: expect.stringContaining('no quota left'),
      isRetryable: false,
    });
  });

  it.each([
    [400, "This model's maximum context length is 8192 tokens, however you requested 9000 tokens"],
    [400, "Invalid 'input[0]': maximum input length is 8192 tokens."],
    [413, '`inputs` must have less than 512 tokens. Given: 600'],
    [500, 'input (600 tokens) is too large to process. increase the physical batch size'],
    [400, 'the request exceeds the available context size, try increasing it'],
  ])('takes %i "%s" for a text that is too long', async (status, message) => {
    server.fail({ kind: 'status', status, body: { error: { message } } });
    await expect(create().check()).rejects.toMatchObject({ isInputTooLong: true });
  });

  it('says what to check when nobody answers', async () => {
    const provider = create();
    await server.close();
    await expect(provider.check()).rejects.toMatchObject({
      message: `The model server does not answer at ${server.url}/v1 (ECONNREFUSED): check that it runs, askAi.openai.baseUrl and askAi.openai.proxy`,
      isRetryable: true,
    });
  });

  describeEmbeddingFaults({
    start: () => TestOpenAiServer.start(),
    create: ({ url }, options) =>
      OpenAiEmbeddingProvider.create({ model: MODEL, baseUrl: url, ...options }),
  });
});
