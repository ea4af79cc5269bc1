import type { TracingService } from '@backstage/backend-plugin-api/alpha';
import { ConfigReader } from '@backstage/config';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { Telemetry } from '../../plugins/ask-ai-backend/src/lib/telemetry/Telemetry';
import { ConfigService } from '../../plugins/ask-ai-backend/src/services/ConfigService';
import { VectorStoreFactory } from '../../plugins/ask-ai-backend/src/services/VectorStoreFactory';
import { silentLogger } from '../../plugins/ask-ai-backend/src/testing/testRuntime';
import { fillTable, queries } from '../dataset';
import { openFloor } from '../floor';
import { compare, latencyRounds } from '../measure';
import { assertCorrect, p50 } from '../measurement';
import { hitIds, openStore, scanSettings } from '../stores';
import { type Suite, TOP_K } from '../suite';

/** What the decorators may cost a search: whichever is more. */
const SHARE = 0.05;
const MILLISECONDS = 0.05;

/** A difference of some 30 µs is seen through noise of 15. */
const ROUNDS_FACTOR = 3;

/** The store as a backend makes it, with all its decorators, against the store alone. */
export const decorators: Suite = {
  name: 'decorators',
  what: 'vector search: the store as a backend makes it, against PgVectorStore alone',
  takes: '1 minute',
  rows: 20_000,
  shortRows: 1_000,
  async run(options) {
    const url = await options.newDatabase();
    const empty = await openStore(url, options);
    const pool = openFloor(url, 1, await scanSettings(empty));
    options.progress(`loading ${options.rows} rows`);
    await fillTable(pool, options.rows, options.dimensions);
    await empty.close();
    const config = ConfigService.fromConfig(
      new ConfigReader({
        askAi: { vectorStore: { type: 'postgresql', postgresql: { connectionString: url } } },
      }),
    );
    // With the same settings, on a table that is there already.
    const { store: alone } = await VectorStoreFactory.open(config, silentLogger());
    const telemetry = realTelemetry();
    const decorated = await VectorStoreFactory.create(config, silentLogger(), { telemetry });
    try {
      const vectors = queries(options.effort.calls, options.dimensions);
      const vector = (call: number) => vectors[call % vectors.length] as Float32Array;
      // Both search for the same vectors in a round, never one after the other for the same: whoever came
      // second would find warm pages, and a median between two kinds of calls tells nothing of either.
      const { calls, rounds: usual } = options.effort;
      const apart = Math.floor(calls / 2);
      const rounds = await latencyRounds(
        { calls, rounds: ROUNDS_FACTOR * usual },
        {
          alone: call => alone.search(vector(call), TOP_K),
          decorated: call => decorated.search(vector(call + apart), TOP_K),
        },
      );
      const { floor, ours } = compare(rounds, 'decorated', 'alone');
      const atMost = 1 + Math.max(SHARE, MILLISECONDS / floor.p50Ms);
      const comparison = { floor, ours, ratio: ours.p50Ms / floor.p50Ms };
      options.report(
        p50(`search, k = ${TOP_K}, decorated against alone, p50`, comparison, { atMost }),
      );
      for (const call of [0, 1, 2]) {
        const [expected, found] = [
          hitIds(await alone.search(vector(call), TOP_K)),
          hitIds(await decorated.search(vector(call), TOP_K)),
        ];
        assertCorrect(found.join() === expected.join(), 'the decorated store finds something else');
      }
    } finally {
      await decorated.close();
      await alone.close();
      await pool.end();
    }
  },
};

/** Metrics and traces as an SDK takes them; nothing is sent. */
function realTelemetry(): Telemetry {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
  const tracer = new BasicTracerProvider().getTracer('bench');
  const startActiveSpan = ((name, options, work) =>
    tracer.startActiveSpan(name, options, async span => {
      try {
        return await work(span);
      } finally {
        span.end();
      }
    })) as (
    name: string,
    options: { attributes?: Record<string, string | number> },
    work: (span: unknown) => Promise<unknown>,
  ) => Promise<unknown>;
  const tracing = { startActiveSpan } as unknown as TracingService;
  const metrics = new MeterProvider({ readers: [reader] }).getMeter('bench');
  return Telemetry.create({ metrics, tracing });
}
