/** One metric. Units as UCUM writes them; what is in braces is counted. */
export interface MetricDescription {
  kind: 'histogram' | 'counter' | 'observedCounter' | 'gauge';
  unit: string;
  description: string;
  /** Each has few values. */
  attributes: readonly string[];
  /** Upper bounds of a histogram, in its unit. */
  buckets?: readonly number[];
}

/** From a search of a small store to one that a person gives up on, in seconds. */
const FAST = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From a question embedded in this process to a batch on a CPU, in seconds. */
const SLOW = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
/** From one entity to a catalog embedded anew, in seconds. */
const RUNS = [0.5, 1, 5, 15, 30, 60, 300, 900, 3_600, 14_400];
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048];

/** Every metric of the plugin. docs/OPERATIONS.md has the same table, and a test compares. */
export const METRICS = {
  'ask_ai.search.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Searches of the vector store, with what a cache answers and repeated attempts',
    attributes: ['mode', 'outcome'],
    buckets: FAST,
  },
  'ask_ai.write.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Writes to the vector store',
    attributes: ['operation', 'outcome'],
    buckets: SLOW,
  },
  'ask_ai.write.batch.size': {
    kind: 'histogram',
    unit: '{chunk}',
    description: 'Chunks in one write',
    attributes: ['operation'],
    buckets: SIZES,
  },
  'ask_ai.embed.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Calls of the embedding model',
    attributes: ['provider', 'purpose', 'outcome'],
    buckets: SLOW,
  },
  'ask_ai.embed.batch.size': {
    kind: 'histogram',
    unit: '{text}',
    description: 'Texts in one call of the embedding model',
    attributes: ['provider', 'purpose'],
    buckets: SIZES,
  },
  'ask_ai.answer.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Questions, from their arrival to the last word of the answer',
    attributes: ['outcome'],
    buckets: SLOW,
  },
  'ask_ai.index.run.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Index runs of this process',
    attributes: ['trigger', 'outcome'],
    buckets: RUNS,
  },
  'ask_ai.index.chunks': {
    kind: 'counter',
    unit: '{chunk}',
    description: 'Chunks of index runs that this process ended, by what became of them',
    attributes: ['result'],
  },
  'ask_ai.index.lag': {
    kind: 'gauge',
    unit: 's',
    description:
      'Time since the last completed run of the whole catalog ended, on whichever replica',
    attributes: [],
  },
  'ask_ai.index.failed': {
    kind: 'gauge',
    unit: '{document}',
    description: 'Documents that could not be indexed when they were tried last, 100 at most',
    attributes: [],
  },
  'ask_ai.store.chunks': {
    kind: 'gauge',
    unit: '{chunk}',
    description: 'Rows of the vector store, counted once a minute',
    attributes: [],
  },
  'ask_ai.store.entities': {
    kind: 'gauge',
    unit: '{entity}',
    description: 'Entities with a row, counted once a minute',
    attributes: [],
  },
  'ask_ai.pool.connections': {
    kind: 'gauge',
    unit: '{connection}',
    description: 'Connections of this process to the database, used or idle',
    attributes: ['role', 'state'],
  },
  'ask_ai.pool.waiting': {
    kind: 'gauge',
    unit: '{request}',
    description: 'Calls that wait for a connection',
    attributes: ['role'],
  },
  'ask_ai.cache.requests': {
    kind: 'observedCounter',
    unit: '{request}',
    description: 'What was asked of the caches, by what came of it',
    attributes: ['cache', 'result'],
  },
  'ask_ai.breaker.state': {
    kind: 'gauge',
    unit: '{state}',
    description: 'Circuit breaker of the vector store: 0 closed, 1 half open, 2 open',
    attributes: ['guard'],
  },
  'ask_ai.breaker.opened': {
    kind: 'observedCounter',
    unit: '{time}',
    description: 'How often the circuit breaker opened',
    attributes: ['guard'],
  },
  'ask_ai.store.retries': {
    kind: 'observedCounter',
    unit: '{attempt}',
    description: 'Attempts of calls of the vector store beyond the first',
    attributes: ['guard'],
  },
  'ask_ai.store.refused': {
    kind: 'observedCounter',
    unit: '{call}',
    description: 'Calls that an open circuit breaker refused',
    attributes: ['guard'],
  },
  'ask_ai.store.timeouts': {
    kind: 'observedCounter',
    unit: '{attempt}',
    description: 'Attempts that were given up',
    attributes: ['guard'],
  },
  'ask_ai.slow_searches': {
    kind: 'counter',
    unit: '{search}',
    description: 'Searches that took longer than slowQueryMillis',
    attributes: ['mode'],
  },
  'ask_ai.health.status': {
    kind: 'gauge',
    unit: '{state}',
    description: 'Result of the last probe: 0 error, 1 warning, 2 ok',
    attributes: ['check'],
  },
} as const satisfies Record<string, MetricDescription>;

type Metrics = typeof METRICS;
type NameOf<Kind extends MetricDescription['kind']> = {
  [Name in keyof Metrics]: Metrics[Name]['kind'] extends Kind ? Name : never;
}[keyof Metrics];

export type MetricName = keyof Metrics;
export type HistogramName = NameOf<'histogram'>;
export type CounterName = NameOf<'counter'>;
export type ObservedName = NameOf<'gauge' | 'observedCounter'>;
export type AttributesOf<Name extends MetricName> = Record<
  Metrics[Name]['attributes'][number],
  string
>;
