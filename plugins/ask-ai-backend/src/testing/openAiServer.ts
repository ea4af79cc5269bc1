import {
  type Answer,
  looseJson,
  type ReceivedRequest,
  TestModelServer,
  testEmbedding,
} from './modelServer';

/** A model that the server has. */
export interface TestOpenAiModel {
  /** Of an embedding model. */
  dimensions?: number;
  /** Words that an embedding model takes; real ones count tokens. */
  maxWords?: number;
}

/** Speaks OpenAI's protocol under any path; the errors are worded as the real ones. */
export class TestOpenAiServer extends TestModelServer {
  readonly models = new Map<string, TestOpenAiModel>([
    ['text-embedding-3-small', { dimensions: 1536 }],
    ['gpt-4o-mini', {}],
  ]);

  /** When set, every request must bring it, as a bearer token or in the header `api-key`. */
  apiKey: string | undefined;
  /** Answers numbers although base64 was asked for, as some servers do. */
  ignoresEncodingFormat = false;
  /** What every chat is answered with, piece by piece. */
  reply: string[] = ['Hello', ' there'];
  /** Why every chat ends. */
  finishReason = 'stop';
  /** Keeps a chat open behind the last piece, as a model does that is still thinking. */
  isReplyHeld = false;

  static async start(): Promise<TestOpenAiServer> {
    const server = new TestOpenAiServer();
    await server.listen();
    return server;
  }

  protected answer(
    request: ReceivedRequest,
    change: (embeddings: number[][]) => unknown[],
  ): Answer {
    const { authorization, 'api-key': apiKey } = request.headers;
    const key = apiKey ?? authorization?.replace('Bearer ', '');
    if (this.apiKey !== undefined && key !== this.apiKey) {
      return refuse(401, `Incorrect API key provided: ${key}.`, 'invalid_api_key');
    }
    const [call] = request.path.match(/(embeddings|chat\/completions|models)$/) ?? [];
    if (call === 'embeddings')
      return this.withModel(request, model => embed(this, request, model, change));
    if (call === 'chat/completions') return this.withModel(request, () => this.chat());
    if (call === 'models')
      return json({ object: 'list', data: [...this.models.keys()].map(id => ({ id })) });
    return refuse(404, `Invalid URL (${request.method} ${request.path})`);
  }

  private withModel(request: ReceivedRequest, answer: (model: TestOpenAiModel) => Answer): Answer {
    const name = String(request.body?.model);
    const model = this.models.get(name);
    return model
      ? answer(model)
      : refuse(
          404,
          `The model \`${name}\` does not exist or you do not have access to it.`,
          'model_not_found',
        );
  }

  private chat(): Answer {
    const pieces = this.reply.map(content => ({ choices: [{ index: 0, delta: { content } }] }));
    const end = { choices: [{ index: 0, delta: {}, finish_reason: this.finishReason }] };
    const events = this.isReplyHeld ? pieces : [...pieces, end];
    const chunks = events.map(event => `data: ${JSON.stringify(event)}\n\n`);
    return {
      contentType: 'text/event-stream',
      chunks: this.isReplyHeld ? chunks : [...chunks, 'data: [DONE]\n\n'],
      isHeld: this.isReplyHeld,
    };
  }
}

function embed(
  { ignoresEncodingFormat }: TestOpenAiServer,
  { body }: ReceivedRequest,
  { dimensions = 1536, maxWords = Number.POSITIVE_INFINITY }: TestOpenAiModel,
  change: (embeddings: number[][]) => unknown[],
): Answer {
  const texts = body?.input as string[];
  const words = texts.map(text => text.split(/\s+/).length);
  const most = Math.max(...words);
  if (most > maxWords) {
    return refuse(
      400,
      `This model's maximum context length is ${maxWords} tokens, however you requested ${most} tokens. Please reduce your prompt.`,
    );
  }
  const size = typeof body?.dimensions === 'number' ? body.dimensions : dimensions;
  const isBase64 = body?.encoding_format === 'base64' && !ignoresEncodingFormat;
  const embeddings = change(texts.map(text => testEmbedding(text, size)));
  const tokens = words.reduce((sum, count) => sum + count, 0);
  return json({
    object: 'list',
    data: embeddings.map((embedding, index) => ({
      object: 'embedding',
      index,
      embedding: isBase64 ? toBase64(embedding) : embedding,
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

/** What is no number is NaN in bytes. */
function toBase64(embedding: unknown): string {
  const numbers = (embedding as unknown[]).map(item =>
    typeof item === 'number' ? item : Number.NaN,
  );
  return Buffer.from(Float32Array.from(numbers).buffer).toString('base64');
}

function refuse(status: number, message: string, code: string | null = null): Answer {
  return json({ error: { message, type: 'invalid_request_error', param: null, code } }, status);
}

function json(body: unknown, status = 200): Answer {
  return { status, chunks: [looseJson(body)] };
}
