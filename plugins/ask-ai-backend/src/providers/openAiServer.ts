import { OpenAI } from 'openai';
import {
  createModelServer,
  type ModelServer,
  type ModelServerOptions,
  type Refusal,
  type RefusalMeaning,
} from './modelServer';

/** How a server that speaks OpenAI's protocol is reached. */
export interface OpenAiServerOptions extends Partial<ModelServerOptions> {
  /** Servers in one's own network may need none. */
  apiKey?: string;
  /** Azure's `api-version`; the key is then sent as Azure expects it, in the header `api-key`. */
  apiVersion?: string;
}

/** A server that speaks OpenAI's protocol, with what its client needs besides. */
export interface OpenAiServer extends ModelServer {
  apiKey?: string;
  apiVersion?: string;
}

const DEFAULT_BASE_URL = 'https://api.openai.com/v1';

/** Milliseconds. Servers of one's own, on a CPU, need seconds for a batch and a minute to load a model. */
const DEFAULT_TIMEOUT_MS = 120_000;

/** How OpenAI, Azure, vLLM, text-embeddings-inference and llama.cpp say that a text is too long. */
const TOO_LONG =
  /maximum (?:context|input) length|exceeds? (?:the )?(?:available |model's )?(?:maximum )?context|must have less than \d+ tokens|too large to process/i;

/** @param modelSetting - the key of the configuration that names the model. */
export function createOpenAiServer(
  options: OpenAiServerOptions,
  modelSetting: string,
): OpenAiServer {
  const { apiKey, apiVersion } = options;
  const server = createModelServer(
    {
      provider: 'openai',
      name: 'The model server',
      unreachableRemedy: 'check that it runs, askAi.openai.baseUrl and askAi.openai.proxy',
      explain: (refusal, url) => explain(refusal, url, modelSetting),
    },
    {
      ...options,
      baseUrl: options.baseUrl ?? DEFAULT_BASE_URL,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    },
    apiKey,
  );
  return { ...server, apiKey, apiVersion };
}

/**
 * The official client, for one call. It never retries. Everything is given that it would otherwise
 * take from environment variables meant for other programs.
 */
export function openAiClient(server: OpenAiServer, request: typeof fetch): OpenAI {
  const { apiKey, apiVersion } = server;
  const isBearer = apiKey !== undefined && apiVersion === undefined;
  return new OpenAI({
    baseURL: server.url,
    // The client insists on a key; the header is taken out again where there is none.
    apiKey: apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    defaultHeaders: {
      ...(isBearer ? {} : { Authorization: null }),
      ...(apiVersion === undefined ? {} : { 'api-key': apiKey }),
      ...server.headers,
    },
    defaultQuery: apiVersion === undefined ? undefined : { 'api-version': apiVersion },
    timeout: server.timeoutMs,
    maxRetries: 0,
    logLevel: 'off',
    fetch: request,
  });
}

function explain(
  { status, message, code, model }: Refusal,
  url: string,
  modelSetting: string,
): RefusalMeaning | undefined {
  // The server's own words may show a part of the key.
  if (status === 401) {
    return {
      message: `The model server at ${url} refused the key (401): check askAi.openai.apiKey`,
    };
  }
  if (status === 403) {
    return {
      message: `The model server at ${url} does not let this key use ${model} (403): check askAi.openai.apiKey and ${modelSetting}`,
    };
  }
  if (status === 404) {
    return {
      message: `The model server at ${url} does not have the model ${model} (404): check ${modelSetting} and askAi.openai.baseUrl`,
    };
  }
  if (code === 'insufficient_quota') {
    return {
      message: `The account at ${url} has no quota left (${status}): check its plan, or askAi.openai.apiKey`,
      isRetryable: false,
    };
  }
  if (code === 'context_length_exceeded' || TOO_LONG.test(message)) {
    return {
      message: `A text is longer than ${model} at ${url} takes`,
      isInputTooLong: true,
    };
  }
  return undefined;
}
