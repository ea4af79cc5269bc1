import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
import { CircuitOpenError, DeadlineExceededError } from '../../errors';
import { retry } from '../../lib/retry';

/** How calls of a store are guarded. All durations in milliseconds. */
export interface GuardOptions {
  /** Calls in all, the first one included. */
  maxAttempts: number;
  /** After that no further attempt begins. */
  deadlineMillis: number;
  /** An attempt is given up after this time; left out: it is waited for. */
  attemptTimeoutMillis?: number;
  /** Outages in a row that open the breaker. */
  breakerFailures: number;
  /** How long an open breaker refuses, before it lets one call try. */
  breakerOpenMillis: number;
}

/** What happened since the start. */
export interface GuardFigures {
  state: 'closed' | 'open' | 'half-open';
  /** How often the breaker opened. */
  opened: number;
  /** Attempts beyond the first. */
  retries: number;
  /** Calls that an open breaker refused. */
  refused: number;
  /** Attempts that were given up. */
  timedOut: number;
}

/** Is told as it happens. */
export interface GuardObserver {
  onRetry?(guard: string, error: Error, waitMs: number): void;
  onStateChange?(guard: string, state: GuardFigures['state']): void;
}

/** A connection that broke is replaced at once; the wait doubles from there. */
const BASE_DELAY_MS = 50;
const MAX_DELAY_MS = 1_000;

const STATES: Record<CircuitState, GuardFigures['state']> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'open',
};

/**
 * Repeats what failed for a moment, gives up what takes too long, and leaves a server alone that failed
 * often in a row: closed, until so many outages in a row open it; open, it refuses at once; half open
 * after a while, it lets one call try, which closes or opens it again. Only outages count: a caller's
 * error, or a conflict with another transaction, shows that the server is well.
 */
export class Guard {
  private readonly breaker: CircuitBreakerPolicy;
  private openedAt = 0;
  private readonly counts = { opened: 0, retries: 0, refused: 0, timedOut: 0 };

  constructor(
    private readonly name: string,
    private readonly options: GuardOptions,
    private readonly observer: GuardObserver = {},
  ) {
    this.breaker = circuitBreaker(handleWhen(isOutage), {
      halfOpenAfter: options.breakerOpenMillis,
      breaker: new ConsecutiveBreaker(options.breakerFailures),
    });
    this.breaker.onStateChange(state => {
      if (state === CircuitState.Open) {
        this.openedAt = Date.now();
        this.counts.opened += 1;
      }
      observer.onStateChange?.(name, STATES[state]);
    });
  }

  get figures(): GuardFigures {
    return { state: STATES[this.breaker.state], ...this.counts };
  }

  /**
   * For calls that may be carried out twice.
   *
   * @throws CircuitOpenError, DeadlineExceededError, or what the last attempt failed with.
   */
  run<T>(action: string, attempt: () => Promise<T>): Promise<T> {
    const { attemptTimeoutMillis, deadlineMillis } = this.options;
    if (attemptTimeoutMillis === undefined) {
      return this.repeat(() => this.throughBreaker(attempt));
    }
    const startedAt = performance.now();
    return this.repeat(() => {
      const leftMillis = deadlineMillis - (performance.now() - startedAt);
      const limitMillis = Math.max(1, Math.min(attemptTimeoutMillis, leftMillis));
      return this.throughBreaker(() => this.inTime(action, attempt, limitMillis));
    });
  }

  /** For calls that take as long as they take: repeated, but they neither wait for the breaker nor move it. */
  runLong<T>(attempt: () => Promise<T>): Promise<T> {
    return this.repeat(async () => {
      this.assertClosed();
      return attempt();
    });
  }

  /** @throws CircuitOpenError while nothing may be tried. */
  assertClosed(): void {
    const { state, lastFailure } = this.breaker;
    const { breakerOpenMillis } = this.options;
    const leftMillis =
      state === CircuitState.HalfOpen
        ? breakerOpenMillis
        : this.openedAt + breakerOpenMillis - Date.now();
    if (state === CircuitState.Closed || leftMillis <= 0) {
      return;
    }
    this.counts.refused += 1;
    const cause = lastFailure && 'error' in lastFailure ? lastFailure.error : undefined;
    throw new CircuitOpenError(
      `The vector store failed ${this.options.breakerFailures} times in a row and is asked again in ` +
        `${Math.ceil(leftMillis)} ms.${cause ? ` ${cause.message}` : ''}`,
      leftMillis,
      { cause },
    );
  }

  private repeat<T>(attempt: () => Promise<T>): Promise<T> {
    return retry(attempt, {
      maxAttempts: this.options.maxAttempts,
      baseDelayMs: BASE_DELAY_MS,
      maxDelayMs: MAX_DELAY_MS,
      maxRetryAfterMs: MAX_DELAY_MS,
      deadlineMs: this.options.deadlineMillis,
      isRetryable: mayBeOverInAMoment,
      onRetry: (error, waitMs) => {
        this.counts.retries += 1;
        this.observer.onRetry?.(this.name, error as Error, waitMs);
      },
    });
  }

  /** While one call tries, cockatiel lets the others wait for it, without a limit: here they are refused. */
  private async throughBreaker<T>(attempt: () => Promise<T>): Promise<T> {
    this.assertClosed();
    return this.breaker.execute(attempt);
  }

  /** cockatiel's time limit costs several times as much, for a signal that no store takes. */
  private async inTime<T>(
    action: string,
    attempt: () => Promise<T>,
    limitMillis: number,
  ): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.counts.timedOut += 1;
        const limit = `${Math.round(limitMillis)} ms`;
        reject(new DeadlineExceededError(`Could not ${action}: no answer within ${limit}.`));
      }, limitMillis);
    });
    try {
      return await Promise.race([attempt(), overdue]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function isOutage(error: Error): boolean {
  return error.name === 'DeadlineExceededError' || outageOf(error) !== 'none';
}

function mayBeOverInAMoment(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'DeadlineExceededError' ||
      (error.name === 'VectorStoreUnavailableError' && outageOf(error) !== 'lasting'))
  );
}

/** By name: stores of other packages have their own classes. */
function outageOf(error: Error): unknown {
  if (error.name !== 'VectorStoreUnavailableError') {
    return 'none';
  }
  return 'outage' in error ? error.outage : 'lasting';
}
