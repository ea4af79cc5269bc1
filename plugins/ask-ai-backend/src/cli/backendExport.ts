import type { BackendTarget } from './backendTarget';
import { failure } from './exitCodes';

/** What a running backend answers on `GET /index/export`, as it comes. */
export async function* openExport(
  target: BackendTarget,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const response = await call(target, signal);
  try {
    yield* response.body as unknown as AsyncIterable<Uint8Array>;
  } catch (error) {
    signal.throwIfAborted();
    const reason =
      ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message;
    throw failure(
      'unreachable',
      `${target.url} broke off the export (${reason}): call the command again, it goes on where it was.`,
    );
  }
}

async function call(target: BackendTarget, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${target.url}/api/ask-ai/index/export`, {
      headers: target.token ? { authorization: `Bearer ${target.token}` } : {},
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = ((error as Error).cause ?? error) as {
      code?: string;
      message: string;
    };
    throw failure('unreachable', `No backend answers at ${target.url} (${code ?? message}).`);
  }
  if (response.status === 401 || response.status === 403) {
    throw failure(
      'notAllowed',
      `${target.url} does not let this caller export: give a token with --token or ASK_AI_TOKEN.`,
    );
  }
  if (!response.ok || !response.body) {
    throw failure('failure', `${target.url} answered the export with status ${response.status}.`);
  }
  return response;
}
