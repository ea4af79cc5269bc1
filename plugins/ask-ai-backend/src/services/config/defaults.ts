/**
 * Every default of the configuration. `config.d.ts` repeats them for readers, and a test compares.
 */
export const DEFAULTS = {
  ollamaBaseUrl: 'http://localhost:11434',
  openaiBaseUrl: 'https://api.openai.com/v1',
  /** A screenful: enough for an answer, few enough for the context of a small model. */
  topK: 5,
  /** Tokens. With its heading path a chunk stays within the 256 tokens that all-minilm reads. */
  chunkSize: 200,
  /** Tokens: about two sentences, so that a statement cut by a border is whole in one chunk. */
  chunkOverlap: 30,
  schedule: { minutes: 30 },
  embedding: {
    /** A batch on a CPU takes seconds; loading a model that was unloaded takes up to a minute. */
    timeoutMs: 120_000,
    /** Sentence models such as all-minilm give unrelated texts less than 0.3. */
    minSimilarity: 0.5,
    /** To embed everything anew may cost money and hours: a person decides. */
    onModelChange: 'refuse' as const,
  },
  llm: {
    /** What the context window of small local models holds without more than 8 GB of memory. */
    contextTokens: 8_192,
    /** A model that is loaded from disk on a CPU is silent for up to a minute. */
    timeoutMs: 120_000,
  },
  index: {
    /** Locations only point at other entities; users are people, not documentation. */
    excludeKinds: ['Location', 'User'],
    /** More than half gone at once is a broken source more often than a clean-up. */
    maxVanishedRatio: 0.5,
    /** Between two passes of a catalog that starts lie up to 5 seconds; twice that is quiet. */
    settleSeconds: 10,
  },
  permissions: {
    /** Somebody waits: after two seconds a part of the hits is better than all of them. */
    budgetMs: 2_000,
  },
  rateLimit: {
    /** Faster than anybody types, slow enough that one script does not keep the others waiting. */
    searchesPerSecond: 20,
    /** A model takes seconds for an answer. */
    questionsPerSecond: 5,
  },
  questions: {
    /** A quarter: what was asked before tells little about what is missing now. */
    retentionDays: 90,
  },
  cache: {
    /** Long enough for a question that goes round a team, short enough for who shares no cache. */
    ttlSeconds: 60,
    /** A question depends on nothing but the model. */
    embeddingTtlSeconds: 3_600,
    maxEntries: 1_000,
    /** 64 MiB: about 2,000 answers of a window of 50 chunks. */
    maxBytes: 67_108_864,
    /** Many times the round trip within a data centre, and still not felt. */
    timeoutMs: 100,
  },
  embedded: {
    directory: './.data/ask-ai',
  },
  postgresql: {
    port: 5_432,
    maxConnections: 10,
    minConnections: 0,
    /** An hour: after a failover or a change of rights, all connections are new by then. */
    maxLifetimeSeconds: 3_600,
    keepAlive: true,
    /** In `pg_stat_activity`. */
    applicationName: 'ask-ai',
    auth: 'password' as const,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 5_000,
    statementTimeoutMillis: 10_000,
    /** A search takes milliseconds: a hundred times as long is not chance. */
    slowQueryMillis: 1_000,
    /** The server's limit must strike first, or the statement goes on with nobody waiting. */
    queryTimeoutMarginMillis: 2_000,
  },
  resilience: {
    /** Over in less than a second, which is what a connection that broke needs. */
    maxAttempts: 4,
    /** As long as a connection may take; a search takes milliseconds. */
    attemptTimeoutMillis: 5_000,
    /** Whoever asked waits: two attempts. */
    readDeadlineMillis: 10_000,
    /** A fail-over takes half a minute, and an index run can wait for it. */
    writeDeadlineMillis: 30_000,
    /** One is chance, and as many as that in a row are not. */
    breakerFailures: 5,
    /** A server that is back is in use after a second. */
    breakerOpenMillis: 1_000,
  },
  /** As often as Kubernetes asks by default. */
  healthCheckIntervalMs: 10_000,
  /** Kubernetes kills after 30 s, of which other plugins need some, too. */
  shutdownTimeoutMillis: 10_000,
  vectorIndex: {
    /** In reach of 1M rows: 0.959 in 7 ms, measured with m 32, efConstruction 128, efSearch 150. */
    recallTarget: 0.95,
  },
};
