import { setTimeout as delay } from 'node:timers/promises';
import type { LoggerService } from '@backstage/backend-plugin-api';
import type { IndexStarted } from 'backstage-plugin-ask-ai-common';
import { thisOwner } from '../lib/owner';
import { retry } from '../lib/retry';
import { noProgress, type Run, type RunProgress, type RunRequest, type RunStore } from '../types';

/** Well below the silence after which a run counts as dead. */
const HEARTBEAT_MS = 2_000;

/** While another replica is at work: how often to look whether it has finished. */
const BUSY_POLL_MS = 2_000;

/** Progress in the log, for a person who watches. */
const LOG_EVERY_MS = 10_000;

/** For as long as a run without a sign of life counts as alive. Durations in milliseconds. */
const FINISHING = {
  maxAttempts: 20,
  baseDelayMs: 200,
  maxDelayMs: 2_000,
  maxRetryAfterMs: 2_000,
  deadlineMs: 30_000,
};

/** Carries out one run; see `runIndex`. */
export type ExecuteRun = (
  run: Run,
  options: { signal: AbortSignal; onProgress: (progress: RunProgress) => void },
) => Promise<{ progress: RunProgress; reasons: string[] }>;

/** How to make an {@link IndexWorker}. */
export interface IndexWorkerOptions {
  runs: RunStore;
  execute: ExecuteRun;
  /** After a run that failed or was cancelled: what it wrote by then stays. */
  settle(): Promise<void>;
  logger: LoggerService;
}

/**
 * Carries out the runs that wait, one at a time. Every replica has one; the run store sees to it
 * that a run is carried out once. A request wakes it, and it rests when nothing waits.
 */
export class IndexWorker {
  private readonly owner = thisOwner();
  private readonly stopping = new AbortController();
  private work: Promise<void> | undefined;
  private cancelCurrent: (() => void) | undefined;

  private constructor(private readonly options: IndexWorkerOptions) {}

  static create(options: IndexWorkerOptions): IndexWorker {
    return new IndexWorker(options);
  }

  /** Asks for a run, or joins one that does the same. Resolves when it is written down. */
  async request(request: RunRequest): Promise<IndexStarted> {
    const { run, joined } = await this.options.runs.enqueue(request);
    this.wake();
    return { runId: run.id, joined };
  }

  /** Stops the run under way, on whichever replica. `false` when there is none. */
  async cancel(): Promise<boolean> {
    const found = await this.options.runs.requestCancel();
    this.cancelCurrent?.();
    return found;
  }

  /** Resolves when nothing waits any more that this worker could do. */
  async settled(): Promise<void> {
    await this.work;
  }

  /** Takes no more work and ends the run under way, which the next start does anew. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.work;
  }

  private wake(): void {
    if (this.stopping.signal.aborted) {
      return;
    }
    this.work ??= this.workUntilIdle()
      .catch(error => this.options.logger.error('The index worker failed', error))
      .finally(() => {
        this.work = undefined;
      });
  }

  private async workUntilIdle(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const run = await this.claim();
      if (run === 'idle') {
        return;
      }
      if (run === 'busy' || run === 'unknown') {
        await delay(BUSY_POLL_MS, undefined, { signal: this.stopping.signal }).catch(() => {});
      } else {
        await this.carryOut(run);
      }
    }
  }

  /** A server that is away comes back, and the runs that wait for it are there still. */
  private async claim(): Promise<Run | 'busy' | 'idle' | 'unknown'> {
    try {
      return await this.options.runs.claim(this.owner);
    } catch (error) {
      if (!(error as { isRetryable?: boolean }).isRetryable) {
        throw error;
      }
      this.options.logger.warn('Could not look whether an index run waits', error as Error);
      return 'unknown';
    }
  }

  /** Nobody else knows how the run ended, and until it counts as dead there will be no other. */
  private finish(...end: Parameters<RunStore['finish']>): Promise<void> {
    return retry(() => this.options.runs.finish(...end), {
      ...FINISHING,
      maxAttempts: this.stopping.signal.aborted ? 2 : FINISHING.maxAttempts,
    });
  }

  private async carryOut(run: Run): Promise<void> {
    const { logger, runs, execute } = this.options;
    const cancelling = new AbortController();
    this.cancelCurrent = () => cancelling.abort(new Error('Cancelled.'));
    const signal = AbortSignal.any([this.stopping.signal, cancelling.signal]);
    let progress = noProgress();
    let isLost = false;
    const heartbeat = setInterval(() => {
      runs.heartbeat(run.id, progress).then(
        verdict => {
          isLost ||= verdict === 'lost';
          if (verdict !== 'continue') {
            cancelling.abort(
              new Error(verdict === 'lost' ? 'Another process took over.' : 'Cancelled.'),
            );
          }
        },
        error => logger.warn('Could not report the progress of the index run', error),
      );
    }, HEARTBEAT_MS);
    const logProgress = setInterval(
      () => logger.info(describe(progress), fieldsOf(run, progress)),
      LOG_EVERY_MS,
    );
    logger.info(`Index run started (${run.trigger}${run.entityRef ? `, ${run.entityRef}` : ''})`, {
      runId: run.id,
      trigger: run.trigger,
    });
    try {
      const result = await execute(run, {
        signal,
        onProgress: current => {
          progress = current;
        },
      });
      progress = result.progress;
      const reason = result.reasons.join(' ') || undefined;
      await this.finish(run.id, reason ? 'failed' : 'completed', progress, reason);
      if (reason) {
        logger.error(`Index run failed: ${reason}`, fieldsOf(run, progress));
      } else {
        logger.info(`Index run completed: ${describe(progress)}`, fieldsOf(run, progress));
      }
    } catch (error) {
      if (!isLost) {
        await this.finishUnsuccessful(run, progress, signal, error);
      }
    } finally {
      clearInterval(heartbeat);
      clearInterval(logProgress);
      this.cancelCurrent = undefined;
    }
  }

  private async finishUnsuccessful(
    run: Run,
    progress: RunProgress,
    signal: AbortSignal,
    error: unknown,
  ): Promise<void> {
    const { logger } = this.options;
    const reason = this.stopping.signal.aborted
      ? 'The backend was shut down.'
      : error instanceof Error
        ? error.message
        : String(error);
    const outcome = signal.aborted ? 'cancelled' : 'failed';
    logger[outcome === 'failed' ? 'error' : 'info'](
      `Index run ${outcome}: ${reason}`,
      fieldsOf(run, progress),
    );
    if (!this.stopping.signal.aborted) {
      await this.options
        .settle()
        .catch(failure => logger.warn('Could not bring up to date what searches rely on', failure));
    }
    await this.finish(run.id, outcome, progress, reason).catch(failure =>
      logger.error('Could not write down how the index run ended', failure),
    );
  }
}

function describe({ documents, chunks, documentsExpected }: RunProgress): string {
  const of = documentsExpected === undefined ? '' : ` of ${documentsExpected}`;
  return (
    `${documents.seen}${of} documents seen, ${documents.changed} changed, ${documents.removed} removed, ` +
    `${documents.failed} failed; ${chunks.embedded} chunks embedded, ${chunks.skipped} unchanged`
  );
}

/** For whatever reads logs by their fields. */
function fieldsOf({ id, trigger }: Run, { documents, chunks }: RunProgress) {
  return { runId: id, trigger, documents: { ...documents }, chunks: { ...chunks } };
}
