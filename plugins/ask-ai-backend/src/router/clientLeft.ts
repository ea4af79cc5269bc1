import type { ErrorRequestHandler, Response } from 'express';
import { ClientLeftError } from '../errors';

/** Aborts with a ClientLeftError when the client leaves before the answer is written. */
export function whenClientLeaves(response: Response): AbortSignal {
  const controller = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) {
      controller.abort(new ClientLeftError());
    }
  });
  return controller.signal;
}

/** That a client leaves is no failure. What fails for another reason is one, client or not. */
export const passOverClientLeft: ErrorRequestHandler = (error, _request, response, next) => {
  if (!response.destroyed || !comesOfLeaving(error)) {
    next(error);
  }
};

/** Whether it is the abort, or what Node and `fetch` make of it, wrapped or not. */
function comesOfLeaving(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { code } = current as NodeJS.ErrnoException;
    if (
      current instanceof ClientLeftError ||
      current.name === 'AbortError' ||
      code === 'ERR_STREAM_PREMATURE_CLOSE'
    ) {
      return true;
    }
  }
  return false;
}
