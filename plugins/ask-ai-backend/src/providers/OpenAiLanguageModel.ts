import type { ChatRequest, LanguageModel } from 'backstage-plugin-ask-ai-node';
import {
  createOpenAiServer,
  type OpenAiServer,
  type OpenAiServerOptions,
  openAiClient,
} from './openAiServer';
import { endOfReply } from './replyEnd';
import { callServer, streamFromServer } from './serverCall';
import { faultyAnswer } from './serverFaults';

/** Options of the language models behind OpenAI's protocol. */
export interface OpenAiLanguageModelOptions extends OpenAiServerOptions {
  /** Tokens that prompt and answer may have together. Default 8192. */
  contextTokens?: number;
}

/** Every current model has at least this much. */
const DEFAULT_CONTEXT_TOKENS = 8_192;

/** Chats with the models on any server that speaks OpenAI's protocol. */
export class OpenAiLanguageModel implements LanguageModel {
  readonly provider = 'openai';

  private constructor(
    private readonly server: OpenAiServer,
    readonly contextTokens: number,
  ) {}

  static create(options: OpenAiLanguageModelOptions = {}): OpenAiLanguageModel {
    return new OpenAiLanguageModel(
      createOpenAiServer(options, 'askAi.defaultModel'),
      options.contextTokens ?? DEFAULT_CONTEXT_TOKENS,
    );
  }

  async *chat({ model, messages, signal }: ChatRequest): AsyncGenerator<string, void, undefined> {
    const { server } = this;
    const pieces = streamFromServer(server, { model, signal }, request =>
      openAiClient(server, request).chat.completions.create({
        model,
        messages: messages.map(({ role, content }) => ({ role, content })),
        stream: true,
      }),
    );
    let finishReason: string | undefined;
    for await (const { choices } of pieces) {
      const choice = choices?.[0];
      if (choice?.delta?.content) yield choice.delta.content;
      finishReason = choice?.finish_reason || finishReason;
    }
    // The client takes a stream that was cut off for one that is complete.
    if (!finishReason) throw faultyAnswer(server, 'a text that breaks off');
    yield* endOfReply(server, finishReason);
  }

  /**
   * Looks for the model in the server's list. Not every server has a list, nor every model in it
   * (Azure's deployments, aliases of gateways): then the model is asked, and stopped at once.
   */
  async check(model: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (await this.isListed(model, signal)) return;
    for await (const _ of this.chat({
      model,
      messages: [{ role: 'user', content: 'Hi' }],
      signal,
    })) {
      return;
    }
  }

  private async isListed(model: string, signal: AbortSignal | undefined): Promise<boolean> {
    const { server } = this;
    if (server.apiVersion !== undefined) return false;
    try {
      return await callServer(server, { model, signal }, async request => {
        const { data } = await openAiClient(server, request).models.list();
        return Array.isArray(data) && data.some(({ id }) => id === model);
      });
    } catch (error) {
      signal?.throwIfAborted();
      if (hasNoList(error)) return false;
      throw error;
    }
  }
}

function hasNoList(error: unknown): boolean {
  const { responseStatus } = error as { responseStatus?: number };
  return responseStatus === 403 || responseStatus === 404 || responseStatus === 405;
}
