import type { HealthCheck, HealthResponse } from 'backstage-plugin-ask-ai-common';

/** Rejects with what is wrong and how to mend it. A text that it resolves to is worth to know. */
export type Check = (options: { signal: AbortSignal }) => Promise<unknown>;

/** A check that takes longer has failed, in milliseconds: probes commonly wait five seconds. */
const CHECK_TIMEOUT_MS = 3_000;

/** Asks everything the plugin depends on whether it is well. */
export class HealthService {
  private constructor(private readonly checks: Record<string, Check>) {}

  static create(checks: Record<string, Check>): HealthService {
    return new HealthService(checks);
  }

  async check(): Promise<HealthResponse> {
    const entries = await Promise.all(
      Object.entries(this.checks).map(
        async ([name, check]) => [name, await runCheck(check)] as const,
      ),
    );
    const isHealthy = entries.every(([, { status }]) => status === 'ok');
    return { status: isHealthy ? 'ok' : 'error', checks: Object.fromEntries(entries) };
  }
}

async function runCheck(check: Check): Promise<HealthCheck> {
  const startedAt = performance.now();
  const latencyMs = () => Math.round(performance.now() - startedAt);
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  const timeout = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () =>
      reject(new Error(`No answer within ${CHECK_TIMEOUT_MS} ms.`)),
    );
  });
  try {
    const note = await Promise.race([check({ signal }), timeout]);
    const message = typeof note === 'string' ? { message: note } : {};
    return { status: 'ok', ...message, latencyMs: latencyMs() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { status: 'error', message, latencyMs: latencyMs() };
  }
}
