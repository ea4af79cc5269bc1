import type {
  AskRequest,
  AskResponse,
  IndexStarted,
  IndexStatus,
  SearchRequest,
  SearchResponse,
} from 'backstage-plugin-ask-ai-common';
import type { BackendTarget } from './backendTarget';
import { type FailureKind, failure } from './exitCodes';

/** Longer than the slowest answer of a model server that is configured with its defaults. */
const CALL_TIMEOUT_MS = 180_000;

/** Calls of the backend's HTTP API. Every rejection says the remedy. */
export interface BackendClient {
  ask(request: AskRequest): Promise<AskResponse>;
  search(request: SearchRequest): Promise<SearchResponse>;
  status(): Promise<IndexStatus>;
  /** Asks for a run over the whole catalog. */
  startIndex(): Promise<IndexStarted>;
}

export function createBackendClient(target: BackendTarget): BackendClient {
  return {
    ask: request => call(target, 'POST', '/', request),
    search: request => call(target, 'POST', '/search', request),
    status: () => call(target, 'GET', '/index/status'),
    startIndex: () => call(target, 'POST', '/index', {}),
  };
}

async function call<Answer>(
  target: BackendTarget,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await send(target, method, path, body);
  const answer = await readJson(response);
  if (!response.ok) {
    throw refusal(target, response.status, errorMessage(answer));
  }
  if (answer === undefined) {
    throw failure('failure', `${target.url} did not answer with JSON. Is it a Backstage backend?`);
  }
  return answer as Answer;
}

async function send(
  target: BackendTarget,
  method: string,
  path: string,
  body: unknown,
): Promise<Response> {
  try {
    return await fetch(`${target.url}/api/ask-ai${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(target.token && { authorization: `Bearer ${target.token}` }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') {
      throw failure(
        'unreachable',
        `${target.url} did not answer within ${CALL_TIMEOUT_MS / 1_000} seconds.`,
      );
    }
    throw failure(
      'unreachable',
      `No backend answers at ${target.url} (${reason(error)}): start it with \`npm start\`, or name another with --url.`,
    );
  }
}

/** Node hides what happened in the cause of "fetch failed". */
function reason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const { code, message } = (cause ?? error) as { code?: string; message?: string };
  return code ?? message ?? 'unknown error';
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

/** Backstage's error responses carry `{ error: { name, message } }`. */
function errorMessage(answer: unknown): string | undefined {
  const { error } = (answer ?? {}) as { error?: { message?: unknown } };
  return typeof error?.message === 'string' ? error.message : undefined;
}

function refusal(target: BackendTarget, status: number, message: string | undefined): Error {
  if (status === 401) {
    return failure(
      'notAllowed',
      target.token
        ? `${target.url} does not know the token: give another with --token or ASK_AI_TOKEN.`
        : `${target.url} asks for a token: give one with --token or ASK_AI_TOKEN.`,
    );
  }
  if (status === 404 && message === undefined) {
    return failure(
      'failure',
      `${target.url} answers, but not under /api/ask-ai: is the plugin added to that backend?`,
    );
  }
  const kinds: Record<number, FailureKind> = { 400: 'usage', 403: 'notAllowed' };
  return failure(
    kinds[status] ?? 'failure',
    message ?? `${target.url} answered with status ${status}.`,
  );
}
