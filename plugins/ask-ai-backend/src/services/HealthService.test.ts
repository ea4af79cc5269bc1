import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HealthService } from './HealthService';

const INTERVAL_MS = 10_000;

describe('HealthService', () => {
  let probes: number;
  let fault: Error | undefined;
  let health: HealthService;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    probes = 0;
    fault = undefined;
    health = HealthService.create({
      checks: {
        store: async () => {
          probes += 1;
          if (fault) throw fault;
        },
      },
      intervalMs: INTERVAL_MS,
    });
  });

  afterEach(async () => {
    await health.stop();
    vi.useRealTimers();
  });

  it('answers from the last probe, and probes anew when that is older than the interval', async () => {
    expect(health.latest).toBeUndefined();
    const answers = await Promise.all(Array.from({ length: 50 }, () => health.check()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['ok']));
    expect(probes).toBe(1);
    vi.advanceTimersByTime(INTERVAL_MS - 1);
    await health.check();
    expect(probes).toBe(1);
    vi.advanceTimersByTime(1);
    await health.check();
    expect(probes).toBe(2);
  });

  it('asks what is unwell again after a second, since it may be mended', async () => {
    fault = new Error('No server.');
    expect(await health.check()).toMatchObject({
      status: 'error',
      checks: { store: { status: 'error', message: 'No server.' } },
    });
    fault = undefined;
    expect((await health.check()).status).toBe('error');
    vi.advanceTimersByTime(1_000);
    expect((await health.check()).status).toBe('ok');
  });

  it('does not believe what it found before something happened', async () => {
    await health.check();
    fault = new Error('No server.');
    health.forget();
    expect((await health.check()).status).toBe('error');
  });

  it('probes by itself from its start to its end, and at no other time', async () => {
    vi.advanceTimersByTime(10 * INTERVAL_MS);
    expect([probes, vi.getTimerCount()]).toEqual([0, 0]);
    health.start();
    for (let round = 1; round <= 3; round++) {
      vi.advanceTimersByTime(INTERVAL_MS);
      await vi.waitFor(() => expect(health.latest?.status).toBe('ok'));
      await health.check();
      expect(probes).toBe(round);
    }
    await health.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tells warnings of what only degrades, and stays well', async () => {
    const degraded = HealthService.create({
      checks: { extension: async () => 'It is old.', store: async () => undefined },
      optionalChecks: {
        cache: async () => {
          throw new Error('It is away.');
        },
      },
      intervalMs: 0,
    });
    expect(await degraded.check()).toEqual({
      status: 'ok',
      checks: {
        extension: { status: 'warning', message: 'It is old.', latencyMs: expect.any(Number) },
        store: { status: 'ok', latencyMs: expect.any(Number) },
        cache: { status: 'warning', message: 'It is away.', latencyMs: expect.any(Number) },
      },
    });
  });
});
