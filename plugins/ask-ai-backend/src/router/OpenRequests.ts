import type { Response } from 'express';
import { ShuttingDownError } from '../errors';

/**
 * The requests that are being answered. At a shutdown no further ones are taken, and those that are there
 * get some time; then they are aborted, which they answer with a 503.
 */
export class OpenRequests {
  private readonly responses = new Set<Response>();
  private readonly overdue = new AbortController();
  private isEnding = false;
  private onLast = () => {};

  get count(): number {
    return this.responses.size;
  }

  /**
   * @returns a signal that aborts when the time is over.
   * @throws ShuttingDownError when no further request is taken.
   */
  admit(response: Response): AbortSignal {
    if (this.isEnding) {
      throw new ShuttingDownError();
    }
    this.responses.add(response);
    response.on('close', () => {
      this.responses.delete(response);
      if (this.responses.size === 0) {
        this.onLast();
      }
    });
    return this.overdue.signal;
  }

  /** Resolves when all are answered. Never, when one heeds no signal. */
  async end(timeoutMillis: number): Promise<void> {
    this.isEnding = true;
    if (this.responses.size === 0) {
      return;
    }
    const timer = setTimeout(() => this.overdue.abort(new ShuttingDownError()), timeoutMillis);
    await new Promise<void>(resolve => {
      this.onLast = resolve;
    });
    clearTimeout(timer);
  }
}
