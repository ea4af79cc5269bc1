import { mockCredentials } from '@backstage/backend-test-utils';
import { AskAiClient, type AskEvent } from 'backstage-plugin-ask-ai-common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../tests/services/poll';
import { type AskAiBackend, describedEntity, startAskAiBackend } from './testing/askAiBackend';
import { TestOllamaServer } from './testing/ollamaServer';

const QUESTION = { prompt: 'How often does the ledger book a payment?' };

describe('AskAiClient', { timeout: 60_000 }, () => {
  let model: TestOllamaServer;
  let backend: AskAiBackend;
  let client: AskAiClient;

  beforeAll(async () => {
    model = await TestOllamaServer.start();
    model.reply = ['Zwölf ', '✓ ', 'twice [1].'];
    backend = await startAskAiBackend({
      entities: [describedEntity('ledger', 'The ledger books every payment twice.')],
      askAi: {
        defaultModel: 'llama3.2',
        ollamaBaseUrl: model.url,
        vectorStore: { type: 'memory' },
      },
    });
    client = new AskAiClient({
      discoveryApi: { getBaseUrl: async () => backend.url },
      // As Backstage's fetchApi adds the user's token.
      fetchApi: {
        fetch: (url, init) => {
          const headers = new Headers(init?.headers);
          headers.set('authorization', mockCredentials.user.header());
          return fetch(url, { ...init, headers });
        },
      },
    });
  });

  afterAll(async () => {
    await backend?.stop();
    await model?.close();
  });

  it('makes every call', async () => {
    const { results } = await client.search({ query: 'payment' });
    expect(results[0]?.documentChunk.entityId).toBe('component:default/ledger');
    const answer = await client.ask(QUESTION);
    expect(answer).toMatchObject({ found: true, answer: 'Zwölf ✓ twice [1].' });
    await client.rate({ answerId: answer.id, rating: 'helpful' });
    expect((await client.unansweredQuestions()).counts).toMatchObject({ asked: 1, helpful: 1 });
    expect((await client.indexStatus()).entityCount).toBe(1);
    const { runId } = await client.startIndex({ entityRef: 'component:default/ledger' });
    await pollUntil('The run', 10_000, async () => {
      const { lastRun } = await client.indexStatus();
      return lastRun?.id === runId || undefined;
    });
    expect(await client.cancelIndex()).toEqual({ cancelled: false });
    await client.clearIndex({ entityId: 'component:default/nobody' });
    expect((await client.indexStatus()).entityCount).toBe(1);
  });

  it('gives an answer in pieces', async () => {
    const events: AskEvent[] = [];
    for await (const event of client.askInPieces(QUESTION)) {
      events.push(event);
    }
    expect(events[0]).toMatchObject({ event: 'sources', data: { model: 'llama3.2' } });
    const text = events.flatMap(({ event, data }) => (event === 'token' ? [data.text] : []));
    expect(text.join('')).toBe('Zwölf ✓ twice [1].');
    expect(events.at(-1)).toMatchObject({ event: 'done', data: { found: true } });
  });

  it('ends the call upstream when the iteration stops', async () => {
    model.requests.length = 0;
    model.holdsReplyTo = () => true;
    for await (const { event } of client.askInPieces(QUESTION)) {
      if (event === 'token') break;
    }
    model.holdsReplyTo = () => false;
    const chat = model.requests.find(({ path }) => path === '/api/chat');
    expect(await chat?.closed).toEqual({ early: true });
  });

  it('rejects with what the backend says, before and while an answer comes', async () => {
    await expect(client.search({ query: '' })).rejects.toMatchObject({
      name: 'ResponseError',
      statusCode: 400,
    });
    model.fail({ kind: 'closeMidway' }, { when: ({ path }) => path === '/api/chat' });
    const read = async () => {
      for await (const _ of client.askInPieces(QUESTION)) {
        // To the end.
      }
    };
    await expect(read()).rejects.toMatchObject({ name: 'AskAiStreamError', statusCode: 502 });
  });

  it('sends a token of its own where there is no fetchApi', async () => {
    const plain = new AskAiClient({ discoveryApi: { getBaseUrl: async () => backend.url } });
    const token = mockCredentials.user.token();
    expect((await plain.search({ query: 'payment' }, { token })).results).toHaveLength(1);
    await expect(plain.search({ query: 'payment' }, { token: 'wrong' })).rejects.toMatchObject({
      statusCode: 401,
    });
  });
});
