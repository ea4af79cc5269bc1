import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeChatFaults } from '../testing/describeChatFaults';
import { TestOllamaServer } from '../testing/ollamaServer';
import { OllamaLanguageModel } from './OllamaLanguageModel';

describe('OllamaLanguageModel', () => {
  let server: TestOllamaServer;
  beforeEach(async () => {
    server = await TestOllamaServer.start();
  });
  afterEach(() => server.close());

  const ask = async (model = 'llama3.2', contextTokens?: number) => {
    const languageModel = OllamaLanguageModel.create({ baseUrl: server.url, contextTokens });
    let answer = '';
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    for await (const piece of languageModel.chat({ model, messages })) answer += piece;
    return answer;
  };

  it('gives the model the context that the prompt was made for', async () => {
    await ask('llama3.2', 16_000);
    expect(server.requests[0]?.body).toMatchObject({ options: { num_ctx: 16_000 } });
  });

  it('does not skip a line that is not JSON', async () => {
    const line = (content: string, done: boolean) =>
      JSON.stringify({ message: { role: 'assistant', content }, done });
    server.fail({
      kind: 'text',
      body: `${line('a', false)}\n{"message": {"con\n${line('', true)}`,
    });
    await expect(ask()).rejects.toThrow('not valid JSON');
  });

  it('takes an answer whose last line does not end, and blank lines', async () => {
    const line = JSON.stringify({ message: { role: 'assistant', content: 'all' }, done: true });
    server.fail({ kind: 'text', body: `\n${line}` });
    await expect(ask()).resolves.toBe('all');
  });

  it('names an error in the middle of the answer', async () => {
    server.fail({ kind: 'text', body: '{"error":"llama runner process has terminated"}\n' });
    await expect(ask()).rejects.toMatchObject({
      name: 'ProviderError',
      message: `Ollama at ${server.url} failed: llama runner process has terminated`,
    });
  });

  it('names a model that only embeds', async () => {
    await expect(ask('all-minilm')).rejects.toThrow('400: "all-minilm" does not support chat');
    const languageModel = OllamaLanguageModel.create({ baseUrl: server.url });
    await expect(languageModel.check('all-minilm')).rejects.toThrow(
      'does not chat: set askAi.defaultModel',
    );
  });

  it('names the command that pulls a missing model', async () => {
    await expect(ask('qwen3')).rejects.toThrow('pull it with `ollama pull qwen3`');
  });

  describeChatFaults({
    start: () => TestOllamaServer.start(),
    create: ({ url }, options) => OllamaLanguageModel.create({ baseUrl: url, ...options }),
    model: 'llama3.2',
  });
});
