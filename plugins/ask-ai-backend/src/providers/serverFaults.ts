import { inspect } from 'node:util';
import { InputTooLongError, ProviderError } from '../errors';
import type { ModelServer } from './modelServer';

/** Codes of Node and undici that mean: no connection came about. */
const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Characters of a server's own words that a message repeats. */
const MAX_QUOTED_LENGTH = 300;

/** A server that was asked for more than it will do now. The others of 4xx stay as they are. */
const RETRYABLE_CLIENT_ERRORS = [408, 429];

/** 501: the server does not know how, and will not learn it by waiting. */
const FINAL_SERVER_ERRORS = [501];

/** What an answer with a status other than 2xx means. Reads the body. */
export async function faultOfAnswer(
  server: ModelServer,
  response: Response,
  model: string,
): Promise<ProviderError> {
  const { status } = response;
  const said = readRefusal(await response.text().catch(() => ''), response.statusText);
  const refusal = { status, model, code: said.code, message: quote(server, said.message) };
  const meaning = server.explain(refusal, server.url);
  const message =
    meaning?.message ??
    redirection(server, response) ??
    `${server.name} at ${server.url} answered ${status}${refusal.message && `: ${refusal.message}`}`;
  const facts = {
    provider: server.provider,
    url: server.url,
    responseStatus: status,
    retryAfterMs: retryAfterMs(response.headers),
  };
  if (meaning?.isInputTooLong) return new InputTooLongError(message, facts);
  return new ProviderError(message, {
    ...facts,
    isRetryable: meaning?.isRetryable ?? isRetryableStatus(status),
  });
}

/** What an error of `fetch`, of reading an answer or of the vendor's client means. */
export function faultOfFailure(server: ModelServer, error: unknown): ProviderError {
  const { code, message } = innermost(error);
  const facts = { provider: server.provider, url: server.url, cause: safeCause(server, error) };
  const at = `${server.name} at ${server.url}`;
  if (error instanceof SyntaxError) {
    return new ProviderError(`${at} answered with something that is not valid JSON`, {
      ...facts,
      isRetryable: true,
    });
  }
  if (code !== undefined && NO_CONNECTION.has(code)) {
    return new ProviderError(
      `${server.name} does not answer at ${server.url} (${code}): ${server.unreachableRemedy}`,
      { ...facts, isRetryable: true },
    );
  }
  if (code !== undefined && /CERT|SELF_SIGNED|TLS|VERIFY/.test(code)) {
    return new ProviderError(
      `The certificate of ${at} is not trusted (${code}): name its authority in NODE_EXTRA_CA_CERTS`,
      { ...facts, isRetryable: false },
    );
  }
  const reason = quote(server, message);
  return new ProviderError(
    code === undefined ? `${at} failed: ${reason}` : `${at} broke off: ${reason} (${code})`,
    { ...facts, isRetryable: true },
  );
}

/** The server was silent for too long. */
export function faultOfSilence(server: ModelServer): ProviderError {
  return new ProviderError(
    `${server.name} at ${server.url} gave no answer within ${server.timeoutMs} ms`,
    { provider: server.provider, url: server.url, isRetryable: true },
  );
}

/** An answer with status 200 that can't be used. The same request may well go right the next time. */
export function faultyAnswer(server: ModelServer, what: string): ProviderError {
  return new ProviderError(`${server.name} at ${server.url} answered with ${what}`, {
    provider: server.provider,
    url: server.url,
    isRetryable: true,
  });
}

/** The server's content filter ended a reply. The same question would end the same way. */
export function contentFiltered(server: ModelServer): ProviderError {
  return new ProviderError(
    `The content filter of ${server.name} at ${server.url} stopped the answer: ask in other words, or change the filter there`,
    { provider: server.provider, url: server.url, isRetryable: false },
  );
}

function isRetryableStatus(status: number): boolean {
  if (status >= 500) return !FINAL_SERVER_ERRORS.includes(status);
  return RETRYABLE_CLIENT_ERRORS.includes(status);
}

/** Credentials must not follow a redirection, so it is not followed but told. */
function redirection(server: ModelServer, { headers, status }: Response): string | undefined {
  const location = headers.get('location');
  if (status < 300 || status >= 400 || location === null) return undefined;
  const moved = `${server.name} at ${server.url} moved`;
  if (!URL.canParse(location, server.url)) {
    return `${moved} to an address that is no URL: set its new URL`;
  }
  const target = new URL(location, server.url);
  return `${moved} to ${target.origin}${target.pathname}: set its new URL`;
}

/** Finds the words in the shapes that Ollama, OpenAI, vLLM and others give their errors. */
function readRefusal(body: string, statusText: string): { message: string; code?: string } {
  const parsed = parseJson(body);
  if (!isRecord(parsed)) return { message: body.trim() || statusText };
  const inner = isRecord(parsed.error) ? parsed.error : parsed;
  const message = [inner.message, parsed.error, parsed.detail].find(
    candidate => typeof candidate === 'string' && candidate !== '',
  );
  return {
    message: typeof message === 'string' ? message : body.trim(),
    code: typeof inner.code === 'string' ? inner.code : undefined,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Milliseconds; `Retry-After` has seconds or a date, `retry-after-ms` is Azure's and OpenAI's own. */
function retryAfterMs(headers: Headers): number | undefined {
  const ms = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (ms >= 0) return ms;
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const seconds = Number(value);
  const wait = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1_000;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

function quote(server: ModelServer, text: string): string {
  const clean = server.secrets
    .reduce((redacted, secret) => redacted.replaceAll(secret, '[redacted]'), text)
    .replace(/\s+/g, ' ');
  return clean.length > MAX_QUOTED_LENGTH ? `${clean.slice(0, MAX_QUOTED_LENGTH)}…` : clean;
}

/** Loggers print causes too. */
function safeCause(server: ModelServer, error: unknown): unknown {
  const shown = inspect(error, { depth: 8, showHidden: true });
  return server.secrets.some(secret => shown.includes(secret)) ? undefined : error;
}

/** `fetch` and the vendors' clients wrap what happened, some of them twice. */
function innermost(error: unknown): { message: string; code?: string } {
  let current = error;
  let code = codeOf(current);
  while (code === undefined && current instanceof Error && current.cause !== undefined) {
    current = current.cause;
    code = codeOf(current);
  }
  return { message: current instanceof Error ? current.message : String(current), code };
}

function codeOf(error: unknown): string | undefined {
  return isRecord(error) && typeof error.code === 'string' ? error.code : undefined;
}
