import type { HealthCheck, HealthResponse } from 'backstage-plugin-ask-ai-common';

/** Rejects with what is wrong and how to mend it. A text that it resolves to is a warning. */
export type Check = (options: { signal: AbortSignal }) => Promise<unknown>;

/** How the plugin is looked after. */
export interface HealthOptions {
  /** Without these nothing works: what they reject with makes the plugin unwell. */
  checks: Record<string, Check>;
  /** Without these it works, though slower: what they reject with is a warning. */
  optionalChecks?: Record<string, Check>;
  /** An answer that is older is asked for anew; 0: each is. */
  intervalMs: number;
  /** What else is to be read as often; its failure is nobody's. */
  afterProbe?(): Promise<void>;
}

/** A check that takes longer has failed, in milliseconds: probes commonly wait five seconds. */
const CHECK_TIMEOUT_MS = 3_000;

/** What is unwell may be mended at any moment, in milliseconds. */
const UNWELL_FOR_MS = 1_000;

/**
 * Asks everything the plugin depends on whether it is well, and remembers the answer for a while, so that
 * whoever asks, however often, puts no load on a database.
 */
export class HealthService {
  private latestAnswer: { health: HealthResponse; at: number } | undefined;
  private probing: Promise<HealthResponse> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private generation = 0;

  private constructor(private readonly options: HealthOptions) {}

  static create(options: HealthOptions): HealthService {
    return new HealthService(options);
  }

  /** What the last probe found, however old; `undefined` before the first one. */
  get latest(): HealthResponse | undefined {
    return this.latestAnswer?.health;
  }

  /** What the last probe found, or a new one where that is too old. Equal questions at once are one. */
  async check(): Promise<HealthResponse> {
    const { latestAnswer, options } = this;
    if (latestAnswer) {
      const { health, at } = latestAnswer;
      const isWell = health.status === 'ok';
      const goodForMs = isWell ? options.intervalMs : Math.min(UNWELL_FOR_MS, options.intervalMs);
      if (performance.now() - at < goodForMs) {
        return health;
      }
    }
    return this.probe();
  }

  /** Probes from now on, whether or not anybody asks. */
  start(): void {
    const { intervalMs } = this.options;
    if (intervalMs > 0 && !this.timer) {
      this.timer = setInterval(() => this.probe(), intervalMs);
      this.timer.unref();
    }
  }

  /** Something happened since: the next answer is a new one. */
  forget(): void {
    if (this.latestAnswer) {
      this.latestAnswer.at = Number.NEGATIVE_INFINITY;
    }
    this.probing = undefined;
    this.generation += 1;
  }

  /** Probes no more by itself, and waits for the probe under way. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.probing;
  }

  private probe(): Promise<HealthResponse> {
    if (!this.probing) {
      const { generation } = this;
      const probing = this.runChecks().then(health => {
        const isCurrent = generation === this.generation;
        this.latestAnswer = {
          health,
          at: isCurrent ? performance.now() : Number.NEGATIVE_INFINITY,
        };
        if (isCurrent) {
          this.probing = undefined;
        }
        this.options.afterProbe?.().catch(() => {});
        return health;
      });
      this.probing = probing;
    }
    return this.probing;
  }

  private async runChecks(): Promise<HealthResponse> {
    const { checks, optionalChecks = {} } = this.options;
    const run = (of: Record<string, Check>, failed: 'warning' | 'error') =>
      Object.entries(of).map(
        async ([name, check]) => [name, await runCheck(check, failed)] as const,
      );
    const entries = await Promise.all([...run(checks, 'error'), ...run(optionalChecks, 'warning')]);
    const isWell = entries.every(([, { status }]) => status !== 'error');
    return { status: isWell ? 'ok' : 'error', checks: Object.fromEntries(entries) };
  }
}

/** Never rejects. */
async function runCheck(check: Check, failed: 'warning' | 'error'): Promise<HealthCheck> {
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
    return typeof note === 'string' && note !== ''
      ? { status: 'warning', message: note, latencyMs: latencyMs() }
      : { status: 'ok', latencyMs: latencyMs() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { status: failed, message, latencyMs: latencyMs() };
  }
}
