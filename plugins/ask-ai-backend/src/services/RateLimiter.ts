import type { BackstageCredentials } from '@backstage/backend-plugin-api';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { TooManyRequestsError } from '../errors';
import { userOf } from '../lib/principal';

/** What is counted apart. */
export type LimitedCall = 'search' | 'question';

/** Limits calls per user and second, in this process. Services are exempt. */
export class RateLimiter {
  private constructor(private readonly limiters: Partial<Record<LimitedCall, RateLimiterMemory>>) {}

  /** 0 is without a limit. */
  static create(options: { searchesPerSecond: number; questionsPerSecond: number }): RateLimiter {
    return new RateLimiter({
      search: limiterOf(options.searchesPerSecond),
      question: limiterOf(options.questionsPerSecond),
    });
  }

  /** @throws TooManyRequestsError that says when to come again. */
  async consume(call: LimitedCall, credentials: BackstageCredentials): Promise<void> {
    const user = userOf(credentials);
    const limiter = this.limiters[call];
    if (user === undefined || limiter === undefined) {
      return;
    }
    try {
      await limiter.consume(user);
    } catch (error) {
      if (error instanceof RateLimiterRes) {
        throw new TooManyRequestsError(
          `At most ${limiter.points} ${call === 'search' ? 'searches' : 'questions'} a second: wait ${error.msBeforeNext} ms`,
          error.msBeforeNext,
        );
      }
      throw error;
    }
  }
}

function limiterOf(points: number): RateLimiterMemory | undefined {
  return points === 0 ? undefined : new RateLimiterMemory({ points, duration: 1 });
}
