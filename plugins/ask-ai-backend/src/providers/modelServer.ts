import { type Dispatcher, ProxyAgent, fetch as undiciFetch } from 'undici';

/** How a model server is reached. */
export interface ModelServerOptions {
  /** A user name and a password in it are sent as basic authorisation. */
  baseUrl: string;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** An HTTP proxy; may hold a user name and a password. Default: a direct connection. */
  proxyUrl?: string;
  timeoutMs: number;
}

/** An answer of a model server that says that it did not do what it was asked. */
export interface Refusal {
  status: number;
  /** What the server says, without secrets and not longer than a few lines. */
  message: string;
  /** What the server says for programs, such as `model_not_found`. */
  code?: string;
  /** The model that was asked for. */
  model: string;
}

/** What a refusal means to whoever runs the plugin. */
export interface RefusalMeaning {
  /** What is wrong and what to do about it. */
  message: string;
  /** When the status alone does not tell. */
  isRetryable?: boolean;
  isInputTooLong?: boolean;
}

/** What tells one vendor's servers from another's. */
export interface ModelServerVendor {
  /** `ollama`, `openai`. */
  provider: string;
  /** As it begins a sentence. */
  name: string;
  /** What to do when nobody answers. */
  unreachableRemedy: string;
  /** `undefined` when there is nothing better to say than the server itself does. */
  explain(refusal: Refusal, url: string): RefusalMeaning | undefined;
}

/** A server that models run on. Holds no connection. */
export interface ModelServer extends ModelServerVendor {
  /** Without credentials and without a slash at the end. */
  url: string;
  headers: Record<string, string>;
  timeoutMs: number;
  /** Texts that must not get into any message. */
  secrets: string[];
  fetch: typeof fetch;
}

/** Characters. What is shorter is no credential, but may be a part of any message. */
const MIN_SECRET_LENGTH = 6;

/** @param apiKey - sent by the vendor's client, not by the headers. */
export function createModelServer(
  vendor: ModelServerVendor,
  { baseUrl, headers = {}, proxyUrl, timeoutMs }: ModelServerOptions,
  apiKey?: string,
): ModelServer {
  const { url, authorisation } = withoutCredentials(baseUrl);
  const allHeaders = authorisation ? { Authorization: authorisation, ...headers } : headers;
  const secrets = [
    apiKey ?? '',
    ...passwordsOf(baseUrl),
    ...passwordsOf(proxyUrl),
    // Each word, as a server may repeat a token without the `Bearer` before it.
    ...Object.values(allHeaders).flatMap(value => value.split(' ')),
  ];
  return {
    ...vendor,
    url,
    headers: allHeaders,
    timeoutMs,
    secrets: secrets.filter(({ length }) => length >= MIN_SECRET_LENGTH),
    fetch: proxyUrl === undefined ? fetch : proxiedFetch(proxyUrl),
  };
}

/** Required because `fetch` refuses a URL with credentials, with an error that shows them. */
function withoutCredentials(baseUrl: string): { url: string; authorisation?: string } {
  const parsed = new URL(baseUrl);
  const { username, password } = parsed;
  parsed.username = '';
  parsed.password = '';
  const url = parsed.href.replace(/\/+$/, '');
  if (username === '' && password === '') return { url };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url, authorisation: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function passwordsOf(url: string | undefined): string[] {
  if (url === undefined) return [];
  const { password } = new URL(url);
  return password === '' ? [] : [password, decodeURIComponent(password)];
}

/** Node's own `fetch` can't be told a proxy. An agent works only with the `fetch` it came with. */
function proxiedFetch(proxyUrl: string): typeof fetch {
  const dispatcher: Dispatcher = new ProxyAgent(proxyUrl);
  const viaProxy = (url: string, init?: object) => undiciFetch(url, { ...init, dispatcher });
  // The two fetch implementations have the same standard behind them, but unrelated declarations.
  return viaProxy as unknown as typeof fetch;
}
