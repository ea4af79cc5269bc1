import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeChatFaults } from '../testing/describeChatFaults';
import { TestOpenAiServer } from '../testing/openAiServer';
import { OpenAiLanguageModel } from './OpenAiLanguageModel';

describe('OpenAiLanguageModel', () => {
  let server: TestOpenAiServer;
  beforeEach(async () => {
    server = await TestOpenAiServer.start();
  });
  afterEach(() => server.close());

  const create = () => OpenAiLanguageModel.create({ baseUrl: server.url });
  const ask = async () => {
    let answer = '';
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    for await (const piece of create().chat({ model: 'gpt-4o-mini', messages })) answer += piece;
    return answer;
  };

  it('names an error in the middle of the answer', async () => {
    server.fail({ kind: 'text', body: 'data: {"error":{"message":"overloaded"}}\n\n' });
    await expect(ask()).rejects.toMatchObject({
      name: 'ProviderError',
      message: `The model server at ${server.url} failed: overloaded`,
    });
  });

  it('names an event that is not JSON', async () => {
    server.fail({ kind: 'text', body: 'data: {"choices": [\n\n' });
    await expect(ask()).rejects.toThrow('not valid JSON');
  });

  it('does not take an answer for complete that lacks its reason to finish', async () => {
    const body = 'data: {"choices":[{"delta":{"content":"half an"}}]}\n\ndata: [DONE]\n\n';
    server.fail({ kind: 'text', body });
    await expect(ask()).rejects.toThrow('a text that breaks off');
  });

  it('looks a model up in the list of the server', async () => {
    await create().check('gpt-4o-mini');
    expect(server.requests.map(({ path }) => path)).toEqual(['/models']);
  });

  it('asks a model that is in no list, and stops it', async () => {
    server.fail({ kind: 'status', status: 404 }, { when: ({ path }) => path === '/models' });
    server.isReplyHeld = true;
    await create().check('gpt-4o-mini');
    expect(server.requests.map(({ path }) => path)).toEqual(['/models', '/chat/completions']);
    await expect(server.requests[1]?.closed).resolves.toEqual({ early: true });
  });

  it('asks a deployment on Azure, which lists only what could be deployed', async () => {
    await OpenAiLanguageModel.create({
      baseUrl: server.url,
      apiKey: 'key-of-azure',
      apiVersion: '2024-10-21',
    }).check('gpt-4o-mini');
    expect(server.requests.map(({ path }) => path)).toEqual(['/chat/completions']);
    expect(server.requests[0]?.headers).toMatchObject({ 'api-key': 'key-of-azure' });
  });

  it('says which setting holds a refused key', async () => {
    server.apiKey = 'sk-right';
    await expect(create().check('gpt-4o-mini')).rejects.toThrow('check askAi.openai.apiKey');
    await expect(ask()).rejects.toThrow('check askAi.openai.apiKey');
  });

  describeChatFaults({
    start: () => TestOpenAiServer.start(),
    create: ({ url }, options) => OpenAiLanguageModel.create({ baseUrl: url, ...options }),
    model: 'gpt-4o-mini',
  });
});
