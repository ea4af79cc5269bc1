import { once } from 'node:events';
import { serializeError } from '@backstage/errors';
import type { AskEvent, StreamError } from 'backstage-plugin-ask-ai-common';
import type { Request, Response } from 'express';
import { startIterating } from '../lib/startIterating';

/** A comment is sent when nothing else was for so long: proxies close connections after a minute. */
const KEEP_ALIVE_MS = 15_000;

/** Whether the client asks for events rather than for JSON. */
export function wantsEvents(request: Request): boolean {
  return request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream';
}

/**
 * Sends events as they come. What fails before the first is answered with a status, what fails later
 * with an event `error`.
 *
 * @param signal - aborts when the client has left, or the backend ends.
 */
export async function sendEvents(
  response: Response,
  events: AsyncGenerator<AskEvent, void, undefined>,
  signal: AbortSignal,
): Promise<void> {
  const started = await startIterating(events);
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    // Compression would hold events back.
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  const keepAlive = setInterval(() => response.write(': still at work\n\n'), KEEP_ALIVE_MS);
  try {
    for await (const event of started) {
      keepAlive.refresh();
      if (!response.write(format(event))) {
        await once(response, 'drain', { signal });
      }
    }
  } catch (error) {
    if (!response.destroyed) {
      response.write(format(errorEvent(error as Error)));
    }
  } finally {
    clearInterval(keepAlive);
    response.end();
  }
}

/** JSON has no line ends, so that one `data` line holds it all. */
function format({ event, data }: AskEvent): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function errorEvent(error: Error): AskEvent {
  const { name, message } = serializeError(error);
  const { statusCode } = error as { statusCode?: unknown };
  const known = typeof statusCode === 'number';
  const data: StreamError = {
    // What nobody has worded for callers may tell what is none of their business.
    error: known
      ? { name, message }
      : { name: 'Error', message: 'The answer could not be completed' },
    response: { statusCode: known ? statusCode : 500 },
  };
  return { event: 'error', data };
}
