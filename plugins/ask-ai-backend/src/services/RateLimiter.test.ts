import { mockCredentials } from '@backstage/backend-test-utils';
import { describe, expect, it } from 'vitest';
import { RateLimiter } from './RateLimiter';

const ann = mockCredentials.user('user:default/ann');
const bob = mockCredentials.user('user:default/bob');

describe('RateLimiter', () => {
  it('lets each user call so often in a second, and says when to come again', async () => {
    const limiter = RateLimiter.create({ searchesPerSecond: 3, questionsPerSecond: 1 });
    for (let call = 0; call < 3; call++) {
      await limiter.consume('search', ann);
    }
    await expect(limiter.consume('search', ann)).rejects.toMatchObject({
      name: 'TooManyRequestsError',
      statusCode: 429,
      message: expect.stringMatching(/^At most 3 searches a second: wait \d+ ms$/),
      retryAfterMs: expect.toSatisfy((ms: number) => ms > 0 && ms <= 1_000),
    });
    await limiter.consume('search', bob);
    await limiter.consume('question', ann);
    await expect(limiter.consume('question', ann)).rejects.toThrow('At most 1 questions');
  });

  it('exempts services, and has no limit at 0', async () => {
    const limiter = RateLimiter.create({ searchesPerSecond: 1, questionsPerSecond: 0 });
    for (let call = 0; call < 50; call++) {
      await limiter.consume('search', mockCredentials.service());
      await limiter.consume('question', ann);
    }
  });
});
