import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { metricsServiceFactory, tracingServiceFactory } from '@backstage/backend-defaults/alpha';
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../tests/services/poll';
import { freePort } from '../../../tests/services/ports';
import { type PostgresServer, startPostgres } from '../../../tests/services/postgres';
import { METRICS, type MetricDescription } from './lib/telemetry/metrics';
import { type AskAiBackend, describedEntity, startAskAiBackend } from './testing/askAiBackend';
import { TestOllamaServer } from './testing/ollamaServer';

const ROOT = resolve(__dirname, '../../..');
const ALL = Object.entries<MetricDescription>(METRICS);

/** Labels that Prometheus or its exporter adds. */
const OTHER_LABELS = ['le', 'otel_scope_name', 'otel_scope_version', 'otel_scope_schema_url'];

describe('telemetry of a backend that searched, indexed and failed', { timeout: 120_000 }, () => {
  let server: PostgresServer;
  let ollama: TestOllamaServer;
  let backend: AskAiBackend;
  let scraped: Map<string, Set<string>>;
  const spans = new InMemorySpanExporter();

  beforeAll(async () => {
    const port = await freePort();
    const exporter = new PrometheusExporter({ host: '127.0.0.1', port, preventServerStart: true });
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [exporter] }));
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
    );
    await exporter.startServer();
    server = await startPostgres();
    ollama = await TestOllamaServer.start();
    backend = await startAskAiBackend({
      features: [metricsServiceFactory, tracingServiceFactory],
      entities: [
        describedEntity('payments', 'Takes payments by card.'),
        describedEntity('shipping', 'Prints parcel labels.'),
      ],
      askAi: {
        embeddingModel: 'all-minilm',
        ollamaBaseUrl: ollama.url,
        cache: { enabled: true },
        healthCheckIntervalMs: 100,
        vectorStore: {
          type: 'postgresql',
          postgresql: { connectionString: server.url, slowQueryMillis: 1 },
          resilience: { breakerFailures: 3 },
        },
      },
    });
    const search = (query: string) => backend.fetch('/search', { body: { query } });
    for (const query of ['payments', 'payments', 'labels']) {
      expect((await search(query)).status).toBe(200);
    }
    expect((await backend.fetch('/', { body: { prompt: 'Who takes payments?' } })).status).toBe(
      200,
    );
    expect((await backend.fetch('/health')).status).toBe(200);
    await server.stop('immediate');
    await pollUntil('A refusal by the breaker', 20_000, async () => {
      const { error } = (await (await search('anything else')).json()) as {
        error: { name: string };
      };
      return error.name === 'CircuitOpenError' || undefined;
    });
    scraped = await pollUntil('All metrics', 10_000, async () => {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const found = parseMetrics(text);
      return found.has('ask_ai_store_chunks') ? found : undefined;
    });
    await exporter.stopServer();
  });

  afterAll(async () => {
    await backend?.stop();
    await ollama?.close();
    await server?.close();
    metrics.disable();
    trace.disable();
    context.disable();
  });

  it.each(ALL)('has %s, with its attributes', (name, metric) => {
    for (const sample of samplesOf(name, metric)) {
      const labels = [...(scraped.get(sample) ?? ['nothing was emitted'])];
      const own = labels.filter(label => !OTHER_LABELS.includes(label));
      expect([sample, own.sort()]).toEqual([sample, [...metric.attributes].sort()]);
    }
  });

  it('has no other', () => {
    const ours = [...scraped.keys()].filter(name => name.startsWith('ask_ai'));
    expect(ours.sort()).toEqual(ALL.flatMap(([name, metric]) => samplesOf(name, metric)).sort());
  });

  it('names in the dashboard only what is emitted, and shows all of it', () => {
    const dashboard = readFileSync(resolve(ROOT, 'examples/grafana/ask-ai-dashboard.json'), 'utf8');
    const shown = new Set<string>();
    for (const { title, targets } of JSON.parse(dashboard).panels as Panel[]) {
      for (const { expr } of targets) {
        const named = namesIn(expr);
        expect([title, named.length]).toEqual([title, 1]);
        for (const name of named) {
          const [plain, withUnit] = spellings(name);
          expect([title, plain, scraped.has(plain)]).toEqual([title, plain, true]);
          // The OpenTelemetry Collector, and exporters that follow it, write the unit of times.
          expect([title, withUnit]).toEqual([title, nameWithUnit(plain)]);
          const labels = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) =>
            list.split(/, */),
          );
          expect([...(scraped.get(plain) ?? [])]).toEqual(expect.arrayContaining(labels));
          shown.add(plain.replace(/_(bucket|count|sum|total)$/, ''));
        }
      }
    }
    expect([...shown].sort()).toEqual(ALL.map(([name]) => prometheusName(name)).sort());
  });

  it('is described in docs/OPERATIONS.md, metric by metric', () => {
    const text = readFileSync(resolve(ROOT, 'docs/OPERATIONS.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `(ask_ai\.[^`]+)` *\| ([^|]+)\| ([^|]+)\| ([^|]+)\|/gm)];
    const told = rows.map(([, name, kind, unit, attributes]) => ({
      name,
      kind: kind?.trim(),
      unit: unit?.trim().replaceAll('`', ''),
      attributes: attributes?.trim().replaceAll('`', ''),
    }));
    expect(told).toEqual(
      ALL.map(([name, { kind, unit, attributes }]) => ({
        name,
        kind: kind === 'observedCounter' ? 'counter' : kind,
        unit,
        attributes: attributes.join(', ') || 'none',
      })),
    );
  });

  it('traces searches, embedding, writes and runs, and tells a failure', () => {
    const finished = spans.getFinishedSpans().filter(({ name }) => name.startsWith('ask_ai'));
    expect(new Set(finished.map(({ name }) => name))).toEqual(
      new Set(['ask_ai.search', 'ask_ai.embed', 'ask_ai.write', 'ask_ai.index.run']),
    );
    const run = finished.find(({ name }) => name === 'ask_ai.index.run');
    const writes = finished.filter(({ name }) => name === 'ask_ai.write');
    expect(writes.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toContain(
      run?.spanContext().spanId,
    );
    expect(run?.attributes).toMatchObject({
      'ask_ai.documents.changed': 2,
      'ask_ai.chunks.embedded': 2,
    });
    const failed = finished.filter(
      ({ name, status }) => name === 'ask_ai.search' && status.code === 2,
    );
    expect(failed.length).toBeGreaterThan(0);
    const written = JSON.stringify(finished.map(({ attributes }) => attributes));
    for (const secret of ['payments', 'anything else', server.url]) {
      expect(written).not.toContain(secret);
    }
  });
});

interface Panel {
  title: string;
  targets: { expr: string }[];
}

/** Labels by name of the sample. */
function parseMetrics(text: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const known = found.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) {
      known.add(label);
    }
    found.set(name, known);
  }
  return found;
}

function prometheusName(name: string): string {
  return name.replaceAll('.', '_');
}

function samplesOf(name: string, { kind }: MetricDescription): string[] {
  const plain = prometheusName(name);
  if (kind === 'histogram') {
    return [`${plain}_bucket`, `${plain}_count`, `${plain}_sum`];
  }
  return [kind === 'gauge' ? plain : `${plain}_total`];
}

function nameWithUnit(sample: string): string {
  const metric = ALL.find(([name]) => sample.startsWith(prometheusName(name)));
  const plain = prometheusName(metric?.[0] ?? '');
  return metric?.[1].unit === 's' ? sample.replace(plain, `${plain}_seconds`) : sample;
}

function namesIn(expr: string): string[] {
  return [...expr.matchAll(/ask_ai_\w+(?:\(_seconds\)\?\w*)?/g)].map(([name]) => name);
}

/** Without and with the unit in the name. */
function spellings(name: string): [string, string] {
  return [name.replace('(_seconds)?', ''), name.replace('(_seconds)?', '_seconds')];
}
