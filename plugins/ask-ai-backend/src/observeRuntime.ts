import type { EmbeddingProvider, IVectorStore, StoreStats } from 'backstage-plugin-ask-ai-node';
import type { CacheFigures } from './lib/cache/TwoTierCache';
import type { Telemetry } from './lib/telemetry/Telemetry';
import type { HealthService } from './services/HealthService';
import type { GuardFigures } from './services/resilient/Guard';
import type { ServedStores } from './services/VectorStoreFactory';
import type { RunStore } from './types';

/** What is observed. */
export interface ObservedRuntime
  extends Pick<ServedStores, 'pools' | 'resilience' | 'cacheFigures'> {
  store: IVectorStore;
  runs: RunStore;
  embeddingProvider: EmbeddingProvider;
  health: HealthService;
}

/** The least pause between two counts of the store, in milliseconds. */
const COUNT_EVERY_MS = 60_000;

/** A count of a large table takes long: it may take this share of the time. */
const COUNT_SHARE = 0.01;

const BREAKER_STATES = { closed: 0, 'half-open': 1, open: 2 };
const HEALTH_STATES = { error: 0, warning: 1, ok: 2 };

/**
 * Figures that are read when metrics are collected. Nothing waits for a database then: what lies there is
 * read by `refresh`.
 */
export class RuntimeObserver {
  private stats: StoreStats | undefined;
  private countAgainAt = 0;
  private completedAt: Date | undefined;
  private failed: number | undefined;

  private constructor(
    private readonly observed: ObservedRuntime,
    telemetry: Telemetry,
  ) {
    this.observe(telemetry);
  }

  static create(observed: ObservedRuntime, telemetry: Telemetry): RuntimeObserver {
    return new RuntimeObserver(observed, telemetry);
  }

  /** Reads what lies in the database. What can't be read stays as it was. */
  async refresh(): Promise<void> {
    const { store, runs } = this.observed;
    const [completed, failures] = await Promise.all([runs.latestCompleted(), runs.failures(100)]);
    this.completedAt = completed?.finishedAt;
    this.failed = failures.length;
    const startedAt = performance.now();
    if (startedAt >= this.countAgainAt) {
      this.stats = await store.stats();
      const now = performance.now();
      this.countAgainAt = now + Math.max(COUNT_EVERY_MS, (now - startedAt) / COUNT_SHARE);
    }
  }

  private observe(telemetry: Telemetry): void {
    const plain = (value: number | undefined) =>
      value === undefined ? [] : [{ value, attributes: {} }];
    telemetry.observe('ask_ai.store.chunks', () => plain(this.stats?.vectorCount));
    telemetry.observe('ask_ai.store.entities', () => plain(this.stats?.entityCount));
    telemetry.observe('ask_ai.index.failed', () => plain(this.failed));
    telemetry.observe('ask_ai.index.lag', () =>
      plain(this.completedAt && (Date.now() - this.completedAt.getTime()) / 1_000),
    );
    this.observePools(telemetry);
    this.observeGuards(telemetry);
    telemetry.observe('ask_ai.cache.requests', () => this.cacheRequests());
    telemetry.observe('ask_ai.health.status', () =>
      Object.entries(this.observed.health.latest?.checks ?? {}).map(([check, { status }]) => ({
        value: HEALTH_STATES[status],
        attributes: { check },
      })),
    );
  }

  private observePools(telemetry: Telemetry): void {
    const pools = () => Object.entries(this.observed.pools?.() ?? {});
    telemetry.observe('ask_ai.pool.connections', () =>
      pools().flatMap(([role, { used, idle }]) => [
        { value: used, attributes: { role, state: 'used' } },
        { value: idle, attributes: { role, state: 'idle' } },
      ]),
    );
    telemetry.observe('ask_ai.pool.waiting', () =>
      pools().map(([role, { waiting }]) => ({ value: waiting, attributes: { role } })),
    );
  }

  private observeGuards(telemetry: Telemetry): void {
    const guards = (): [string, GuardFigures][] => Object.entries(this.observed.resilience() ?? {});
    telemetry.observe('ask_ai.breaker.state', () =>
      guards().map(([guard, { state }]) => ({
        value: BREAKER_STATES[state],
        attributes: { guard },
      })),
    );
    const counters = [
      ['ask_ai.breaker.opened', 'opened'],
      ['ask_ai.store.retries', 'retries'],
      ['ask_ai.store.refused', 'refused'],
      ['ask_ai.store.timeouts', 'timedOut'],
    ] as const;
    for (const [name, figure] of counters) {
      telemetry.observe(name, () =>
        guards().map(([guard, figures]) => ({ value: figures[figure], attributes: { guard } })),
      );
    }
  }

  private *cacheRequests() {
    const caches: [string, Readonly<CacheFigures> | undefined][] = [
      ['searches', this.observed.cacheFigures()],
      ['questions', figuresOf(this.observed.embeddingProvider)],
    ];
    for (const [cache, figures] of caches) {
      for (const [result, value] of Object.entries(figures ?? {})) {
        yield { value, attributes: { cache, result: RESULTS[result as keyof CacheFigures] } };
      }
    }
  }
}

const RESULTS: Record<keyof CacheFigures, string> = {
  localHits: 'local_hit',
  sharedHits: 'shared_hit',
  joined: 'joined',
  misses: 'miss',
  bypassed: 'bypassed',
};

function figuresOf(provider: EmbeddingProvider): Readonly<CacheFigures> | undefined {
  return 'figures' in provider ? (provider.figures as CacheFigures) : undefined;
}
