import type { ChatRequest, LanguageModel } from 'backstage-plugin-ask-ai-node';
import { ProviderError } from '../errors';
import type { ModelServer } from './modelServer';
import { createOllamaServer, type OllamaServerOptions, ollamaClient } from './ollamaServer';
import { endOfReply } from './replyEnd';
import { callServer, streamFromServer } from './serverCall';

/** Options of the language models on Ollama. */
export interface OllamaLanguageModelOptions extends OllamaServerOptions {
  /** Tokens that prompt and answer may have together. Default 8192. */
  contextTokens?: number;
}

/** What the context of small local models holds without more than 8 GB of memory. */
const DEFAULT_CONTEXT_TOKENS = 8_192;

/** Chats with the models on an Ollama server. */
export class OllamaLanguageModel implements LanguageModel {
  readonly provider = 'ollama';

  private constructor(
    private readonly server: ModelServer,
    readonly contextTokens: number,
  ) {}

  static create(options: OllamaLanguageModelOptions = {}): OllamaLanguageModel {
    return new OllamaLanguageModel(
      createOllamaServer(options, 'askAi.defaultModel'),
      options.contextTokens ?? DEFAULT_CONTEXT_TOKENS,
    );
  }

  async *chat({ model, messages, signal }: ChatRequest): AsyncGenerator<string, void, undefined> {
    const { server } = this;
    const pieces = streamFromServer(server, { model, signal }, request =>
      ollamaClient(server, onlyJsonLines(request)).chat({
        model,
        messages: messages.map(({ role, content }) => ({ role, content })),
        stream: true,
        // Required because Ollama otherwise drops the beginning of a prompt over a few thousand tokens.
        options: { num_ctx: this.contextTokens },
      }),
    );
    for await (const { message, done, done_reason: reason } of pieces) {
      if (message?.content) yield message.content;
      // Older servers give no reason.
      if (done && reason) yield* endOfReply(server, reason);
    }
  }

  async check(model: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const { server } = this;
    const { capabilities } = await callServer(server, { model, signal }, request =>
      ollamaClient(server, request).show({ model }),
    );
    // Older servers do not tell.
    if (capabilities && !capabilities.includes('completion')) {
      throw new ProviderError(
        `The model ${model} on Ollama at ${server.url} does not chat: set askAi.defaultModel to one that does, for example llama3.2`,
        { provider: this.provider, url: server.url, isRetryable: false },
      );
    }
  }
}

/** Required because the client prints a line that is not JSON and goes on, and the answer lacks a piece. */
function onlyJsonLines(request: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await request(input, init);
    let rest = '';
    const lines = new TransformStream<string, string>({
      transform(text, controller) {
        const parts = `${rest}${text}`.split('\n');
        rest = parts.pop() ?? '';
        for (const line of parts) pass(line, controller);
      },
      flush(controller) {
        pass(rest, controller);
      },
    });
    const body = response.body
      ?.pipeThrough(new TextDecoderStream())
      .pipeThrough(lines)
      .pipeThrough(new TextEncoderStream());
    return new Response(body, response);
  };
}

function pass(line: string, controller: TransformStreamDefaultController<string>): void {
  if (line.trim() === '') return;
  JSON.parse(line);
  controller.enqueue(`${line}\n`);
}
