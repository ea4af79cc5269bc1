import { setTimeout as delay } from 'node:timers/promises';
import type { LoggerService } from '@backstage/backend-plugin-api';
import { ConfigurationError, VectorStoreUnavailableError } from '../errors';

/** Between attempts, in milliseconds: longer each time, and short enough to be there soon after a server. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;

/** How long a start waits for the first attempt, which may have much to migrate, in milliseconds. */
const PATIENCE_MS = 5_000;

/** What is opened: it can be closed. */
interface Closable {
  close(): Promise<void>;
}

/**
 * Opens what a server may keep from being opened for now, again and again until it works: `opening`, then
 * `open`, then `closed`. What mends itself needs nobody, and what somebody must mend (a right, an extension,
 * a password) needs no restart after it.
 */
export class StoreOpening<T extends Closable> {
  private readonly closing = new AbortController();
  private opened: T | undefined;
  private reason: Error = new VectorStoreUnavailableError('The vector store is being opened.', {
    outage: 'brief',
  });
  private readonly work: Promise<void>;
  private firstAttemptEnded = () => {};
  private readonly firstAttempt = new Promise<void>(resolve => {
    this.firstAttemptEnded = resolve;
  });

  private constructor(
    private readonly open: () => Promise<T>,
    private readonly logger: Pick<LoggerService, 'error' | 'info'>,
  ) {
    this.work = this.openUntilItWorks();
  }

  /**
   * Resolves after the first attempt, whether or not it worked, or after a while.
   *
   * @throws ConfigurationError, which no later attempt can mend.
   */
  static async start<T extends Closable>(
    open: () => Promise<T>,
    logger: Pick<LoggerService, 'error' | 'info'>,
  ): Promise<StoreOpening<T>> {
    const opening = new StoreOpening(open, logger);
    const patience = new AbortController();
    const waited = delay(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => {});
    await Promise.race([opening.firstAttempt, waited]);
    patience.abort();
    if (opening.reason instanceof ConfigurationError) {
      throw opening.reason;
    }
    return opening;
  }

  get isOpen(): boolean {
    return this.opened !== undefined;
  }

  /** @throws why it is not open: what the last attempt failed with. */
  current(): T {
    if (!this.opened) {
      throw this.reason;
    }
    return this.opened;
  }

  /** Resolves when it is open, or closed. */
  settled(): Promise<void> {
    return this.work;
  }

  /** Also of an attempt under way, which is waited for. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.work;
    const { opened } = this;
    this.opened = undefined;
    this.reason = new VectorStoreUnavailableError('The vector store is closed.');
    await opened?.close();
  }

  private async openUntilItWorks(): Promise<void> {
    const { signal } = this.closing;
    let told: string | undefined;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        this.opened = await this.open();
        if (told !== undefined) {
          this.logger.info('The vector store is open.');
        }
        return;
      } catch (error) {
        this.reason = worded(error);
        if (error instanceof ConfigurationError) {
          return;
        }
        if (told !== this.reason.message && !signal.aborted) {
          told = this.reason.message;
          this.logger.error(
            `The vector store can't be opened, which is tried again until it works: ${told}`,
          );
        }
      } finally {
        this.firstAttemptEnded();
      }
      await delay(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) {
        return;
      }
    }
  }
}

/** Whoever calls meanwhile gets a 503, whatever it was. */
function worded(error: unknown): Error {
  if (error instanceof Error && 'statusCode' in error) {
    return error;
  }
  const message = error instanceof Error ? error.message : String(error);
  return new VectorStoreUnavailableError(`Could not open the vector store: ${message}`, {
    cause: error,
  });
}
