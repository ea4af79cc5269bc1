import {
  type Answer,
  looseJson,
  type ReceivedRequest,
  TestModelServer,
  testEmbedding,
} from './modelServer';

/** A model that the server has. */
export interface TestOllamaModel {
  /** Of an embedding model. */
  dimensions?: number;
  /** Models that differ in it give other vectors for the same text. */
  salt?: string;
  /** Words that an embedding model takes; real ones count tokens. */
  maxWords?: number;
}

/** Speaks Ollama's protocol as far as the plugin uses it; the errors are worded as the real ones. */
export class TestOllamaServer extends TestModelServer {
  readonly models = new Map<string, TestOllamaModel>([
    ['all-minilm', { dimensions: 384 }],
    ['llama3.2', {}],
  ]);

  /** What every chat is answered with, piece by piece. */
  reply: string[] = ['Hello', ' there'];
  /** Why every chat ends. */
  finishReason = 'stop';
  /** Keeps a chat open behind the last piece, as a model does that is still thinking. */
  isReplyHeld = false;
  /** The same for single chats. */
  holdsReplyTo: (request: ReceivedRequest) => boolean = () => false;

  static async start(): Promise<TestOllamaServer> {
    const server = new TestOllamaServer();
    await server.listen();
    return server;
  }

  protected answer(
    request: ReceivedRequest,
    change: (embeddings: number[][]) => unknown[],
  ): Answer {
    switch (request.path) {
      case '/api/version':
        return json({ version: '0.12.0' });
      case '/api/tags':
        return json({ models: [...this.models.keys()].map(name => ({ name, model: name })) });
      case '/api/show':
        return this.withModel(request, model =>
          json({ capabilities: [model.dimensions === undefined ? 'completion' : 'embedding'] }),
        );
      case '/api/embed':
        return this.withModel(request, model => this.embed(request, model, change));
      case '/api/chat':
        return this.withModel(request, model => this.chat(request, model));
      default:
        return { status: 404, contentType: 'text/plain', chunks: ['404 page not found'] };
    }
  }

  private withModel(request: ReceivedRequest, answer: (model: TestOllamaModel) => Answer): Answer {
    const name = String(request.body?.model);
    const model = this.models.get(name);
    return model ? answer(model) : json({ error: `model '${name}' not found` }, 404);
  }

  private embed(
    { body }: ReceivedRequest,
    { dimensions = 384, salt = '', maxWords = Number.POSITIVE_INFINITY }: TestOllamaModel,
    change: (embeddings: number[][]) => unknown[],
  ): Answer {
    const texts = body?.input as string[];
    const words = texts.map(text => text.split(/\s+/).length);
    if (body?.truncate === false && Math.max(...words) > maxWords) {
      return json({ error: 'the input length exceeds the context length' }, 400);
    }
    const size = typeof body?.dimensions === 'number' ? body.dimensions : dimensions;
    return json({
      model: body?.model,
      embeddings: change(texts.map(text => testEmbedding(salt + text, size))),
      prompt_eval_count: words.reduce((sum, count) => sum + count, 0),
    });
  }

  private chat(request: ReceivedRequest, { dimensions }: TestOllamaModel): Answer {
    const { body } = request;
    const isHeld = this.isReplyHeld || this.holdsReplyTo(request);
    if (dimensions !== undefined)
      return json({ error: `"${body?.model}" does not support chat` }, 400);
    const pieces = this.reply.map(content => ({
      model: body?.model,
      message: { role: 'assistant', content },
      done: false,
    }));
    const end = {
      model: body?.model,
      message: { role: 'assistant', content: '' },
      done: true,
      done_reason: this.finishReason,
    };
    const lines = isHeld ? pieces : [...pieces, end];
    return {
      contentType: 'application/x-ndjson',
      chunks: lines.map(line => `${JSON.stringify(line)}\n`),
      isHeld,
    };
  }
}

function json(body: unknown, status = 200): Answer {
  return { status, chunks: [looseJson(body)] };
}
