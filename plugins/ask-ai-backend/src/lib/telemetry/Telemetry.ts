import type {
  MetricsService,
  MetricsServiceCounter,
  MetricsServiceHistogram,
  MetricsServiceObservable,
  TracingService,
  TracingServiceSpan,
} from '@backstage/backend-plugin-api/alpha';
import {
  type AttributesOf,
  type CounterName,
  type HistogramName,
  METRICS,
  type MetricDescription,
  type MetricName,
  type ObservedName,
} from './metrics';

/** A figure as it is at the moment. */
export interface Observation<Name extends ObservedName> {
  value: number;
  attributes: AttributesOf<Name>;
}

/** The plugin's metrics and traces, through Backstage's services: without an SDK they go nowhere. */
export class Telemetry {
  private readonly histograms = new Map<string, MetricsServiceHistogram>();
  private readonly counters = new Map<string, MetricsServiceCounter>();
  private readonly observables = new Map<string, MetricsServiceObservable>();
  private readonly releases: (() => void)[] = [];

  private constructor(
    metrics: MetricsService,
    private readonly tracing: TracingService,
  ) {
    for (const [name, metric] of Object.entries<MetricDescription>(METRICS)) {
      this.create(metrics, name, metric);
    }
  }

  static create({
    metrics,
    tracing,
  }: {
    metrics: MetricsService;
    tracing: TracingService;
  }): Telemetry {
    return new Telemetry(metrics, tracing);
  }

  record<Name extends HistogramName>(
    name: Name,
    value: number,
    attributes: AttributesOf<Name>,
  ): void {
    this.histograms.get(name)?.record(value, attributes);
  }

  count<Name extends CounterName>(name: Name, attributes: AttributesOf<Name>, by = 1): void {
    this.counters.get(name)?.add(by, attributes);
  }

  /** @param read - asked whenever figures are collected; gives what is known, and never waits. */
  observe<Name extends ObservedName>(name: Name, read: () => Iterable<Observation<Name>>): void {
    const observable = this.observables.get(name);
    const callback: Parameters<MetricsServiceObservable['addCallback']>[0] = result => {
      for (const { value, attributes } of read()) {
        result.observe(value, attributes);
      }
    };
    observable?.addCallback(callback);
    this.releases.push(() => observable?.removeCallback(callback));
  }

  /**
   * Measures `work`.
   *
   * @param end - gets the duration in seconds, and how it ended.
   */
  async time<T>(
    work: () => Promise<T>,
    end: (seconds: number, outcome: 'ok' | 'error') => void,
  ): Promise<T> {
    const startedAt = performance.now();
    let outcome: 'ok' | 'error' = 'error';
    try {
      const result = await work();
      outcome = 'ok';
      return result;
    } finally {
      end((performance.now() - startedAt) / 1_000, outcome);
    }
  }

  /** Does `work` in a span of its own. */
  trace<T>(
    span: string,
    attributes: Record<string, string | number>,
    work: (span: TracingServiceSpan) => Promise<T>,
  ): Promise<T> {
    return this.tracing.startActiveSpan(span, { attributes }, work);
  }

  /** Measures `work` in a span of its own; see `time`. */
  measure<T>(
    span: string,
    attributes: Record<string, string | number>,
    work: (span: TracingServiceSpan) => Promise<T>,
    end: (seconds: number, outcome: 'ok' | 'error') => void,
  ): Promise<T> {
    return this.time(() => this.trace(span, attributes, work), end);
  }

  /** Observes nothing any more: the instruments live as long as the process. */
  close(): void {
    for (const release of this.releases.splice(0)) {
      release();
    }
  }

  private create(metrics: MetricsService, name: string, metric: MetricDescription): void {
    const { kind, unit, description, buckets } = metric;
    const options = { unit, description };
    switch (kind) {
      case 'histogram': {
        const advice = buckets && { explicitBucketBoundaries: [...buckets] };
        this.histograms.set(name, metrics.createHistogram(name, { ...options, advice }));
        break;
      }
      case 'counter':
        this.counters.set(name, metrics.createCounter(name, options));
        break;
      case 'observedCounter':
        this.observables.set(name, metrics.createObservableCounter(name, options));
        break;
      case 'gauge':
        this.observables.set(name, metrics.createObservableGauge(name, options));
        break;
    }
  }
}

/** Names of all metrics, for who compares. */
export const METRIC_NAMES = Object.keys(METRICS) as MetricName[];
