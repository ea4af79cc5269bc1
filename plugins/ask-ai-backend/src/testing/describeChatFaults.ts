import type { LanguageModel } from 'backstage-plugin-ask-ai-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CUT_NOTE } from '../providers/replyEnd';
import type { TestModelServer } from './modelServer';

/** A server that chats. */
export interface TestChatServer extends TestModelServer {
  reply: string[];
  finishReason: string;
  isReplyHeld: boolean;
}

/** What the suite is run against. */
export interface ChatFaultsOptions {
  start(): Promise<TestChatServer>;
  create(server: { url: string }, options?: { timeoutMs?: number }): LanguageModel;
  /** A model that the server has. */
  model: string;
}

/** What every language model with a server does while it answers and when that server fails. */
export function describeChatFaults({ start, create, model }: ChatFaultsOptions): void {
  describe('when it chats', () => {
    let server: TestChatServer;
    beforeEach(async () => {
      server = await start();
    });
    afterEach(() => server.close());

    const chat = (options?: { timeoutMs?: number }, signal?: AbortSignal) =>
      create(server, options).chat({
        model,
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
        ],
        signal,
      });

    it('gives the answer piece by piece', async () => {
      server.reply = ['Gr', 'üß', ' dich 👋', '\n'];
      expect(await all(chat())).toEqual(server.reply);
      expect(server.requests[0]?.body).toMatchObject({
        model,
        stream: true,
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
        ],
      });
    });

    it('tells that an answer was cut at the limit of the model', async () => {
      server.finishReason = 'length';
      expect(await all(chat())).toEqual([...server.reply, CUT_NOTE]);
    });

    it('names a content filter that stopped the answer', async () => {
      server.finishReason = 'content_filter';
      await expect(all(chat())).rejects.toMatchObject({
        name: 'ProviderError',
        message: expect.stringMatching(
          /content filter of .* stopped the answer: ask in other words/,
        ),
        isRetryable: false,
      });
    });

    it('closes the request when the loop is left', async () => {
      server.isReplyHeld = true;
      for await (const piece of chat()) {
        expect(piece).toBe(server.reply[0]);
        break;
      }
      await expect(server.requests[0]?.closed).resolves.toEqual({ early: true });
    });

    it('closes the request when the signal aborts in the middle of the answer', async () => {
      server.isReplyHeld = true;
      const controller = new AbortController();
      const pieces: string[] = [];
      const read = async () => {
        for await (const piece of chat({}, controller.signal)) {
          pieces.push(piece);
          if (pieces.length === server.reply.length) controller.abort(new Error('client left'));
        }
      };
      await expect(read()).rejects.toThrow('client left');
      await expect(server.requests[0]?.closed).resolves.toEqual({ early: true });
    });

    it('closes the request when the signal aborts before the answer', async () => {
      server.fail({ kind: 'hang' });
      const controller = new AbortController();
      const answer = all(chat({}, controller.signal));
      await server.nextRequest();
      controller.abort(new Error('client left'));
      await expect(answer).rejects.toThrow('client left');
      await expect(server.requests[0]?.closed).resolves.toEqual({ early: true });
    });

    it('gives up on a model that falls silent in the middle of the answer', async () => {
      server.isReplyHeld = true;
      await expect(all(chat({ timeoutMs: 100 }))).rejects.toMatchObject({
        name: 'ProviderError',
        message: expect.stringContaining('gave no answer within 100 ms'),
        isRetryable: true,
      });
      await expect(server.requests[0]?.closed).resolves.toEqual({ early: true });
    });

    it('does not count the time that the reader takes', async () => {
      const pieces = chat({ timeoutMs: 300 });
      await pieces[Symbol.asyncIterator]().next();
      const deadline = performance.now() + 350;
      while (performance.now() < deadline) await new Promise(resolve => setImmediate(resolve));
      expect(await all(pieces)).toEqual(server.reply.slice(1));
    });

    it('names a connection that was closed in the middle of the answer', async () => {
      server.fail({ kind: 'closeMidway' });
      await expect(all(chat())).rejects.toMatchObject({
        name: 'ProviderError',
        message: expect.stringContaining('broke off'),
        isRetryable: true,
      });
    });

    it('does not take an answer for complete that ends without saying so', async () => {
      server.fail({ kind: 'text', body: '' });
      await expect(all(chat())).rejects.toMatchObject({ name: 'ProviderError', isRetryable: true });
    });

    it('names a status of 429, with the time to wait', async () => {
      server.fail({ kind: 'status', status: 429, headers: { 'retry-after': '3' } });
      await expect(all(chat())).rejects.toMatchObject({
        name: 'ProviderError',
        isRetryable: true,
        responseStatus: 429,
        retryAfterMs: 3_000,
      });
      expect(server.requests).toHaveLength(1);
    });

    it('checks that the model is there', async () => {
      await expect(create(server).check(model)).resolves.toBeUndefined();
      await expect(create(server).check('missing-model')).rejects.toMatchObject({
        name: 'ProviderError',
        message: expect.stringContaining('does not have the model missing-model'),
        isRetryable: false,
      });
    });
  });
}

async function all(pieces: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const piece of pieces) list.push(piece);
  return list;
}
