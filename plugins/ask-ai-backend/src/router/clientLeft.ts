import type { Response } from 'express';

/** Aborts when the client leaves before the answer is written. */
export function whenClientLeaves(response: Response): AbortSignal {
  const controller = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) {
      controller.abort(new Error('The client left.'));
    }
  });
  return controller.signal;
}
