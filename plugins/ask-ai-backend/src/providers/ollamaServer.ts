import { Ollama } from 'ollama';
import {
  createModelServer,
  type ModelServer,
  type ModelServerOptions,
  type Refusal,
  type RefusalMeaning,
} from './modelServer';

/** How Ollama is reached. */
export type OllamaServerOptions = Partial<ModelServerOptions>;

const DEFAULT_BASE_URL = 'http://localhost:11434';

/** Milliseconds. A batch on a CPU takes seconds; loading a model takes up to a minute. */
const DEFAULT_TIMEOUT_MS = 120_000;

/**
 * How Ollama says that a text is too long. The last one: before it checked the length, its runner
 * died of a text longer than its physical batch (ollama/ollama#16582).
 */
const TOO_LONG = /exceeds? (?:the |maximum )?context length|do embedding request: .*EOF/;

/** @param modelSetting - the key of the configuration that names the model. */
export function createOllamaServer(
  options: OllamaServerOptions,
  modelSetting: string,
): ModelServer {
  return createModelServer(
    {
      provider: 'ollama',
      name: 'Ollama',
      unreachableRemedy: 'start it with `ollama serve`, or set askAi.ollamaBaseUrl',
      explain: (refusal, url) => explain(refusal, url, modelSetting),
    },
    {
      ...options,
      baseUrl: options.baseUrl ?? DEFAULT_BASE_URL,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    },
  );
}

/** The official client, for one call. It never retries. */
export function ollamaClient({ url, headers }: ModelServer, request: typeof fetch): Ollama {
  return new Ollama({ host: url, headers, fetch: request });
}

function explain(
  { status, message, model }: Refusal,
  url: string,
  modelSetting: string,
): RefusalMeaning | undefined {
  if (status === 404 && /model.*not found/i.test(message)) {
    return {
      message: `Ollama at ${url} does not have the model ${model}: pull it with \`ollama pull ${model}\`, or set ${modelSetting} to one that it has`,
    };
  }
  if (status === 404) {
    return { message: `What answers at ${url} is not Ollama (404): set askAi.ollamaBaseUrl` };
  }
  if (status === 401 || status === 403) {
    return {
      message: `Ollama at ${url} refused the credentials (${status}): check askAi.ollamaBaseUrl`,
    };
  }
  if (TOO_LONG.test(message)) {
    return {
      message: `A text is longer than ${model} on Ollama at ${url} takes`,
      isInputTooLong: true,
    };
  }
  return undefined;
}
