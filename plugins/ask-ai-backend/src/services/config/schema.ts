import { z } from 'zod';
import { choice, flag, httpUrl, integer, listOf, ratio, section, text } from '../../lib/fields';
import { catalogFilterSchema } from './catalogFilter';
import { DEFAULTS } from './defaults';
import { postgresqlSchema } from './postgresqlSchema';
import { scheduleSchema } from './schedule';

/** An hour: a call that takes longer has failed. */
const LONGEST_CALL_MS = 3_600_000;

/** Above this an HNSW index on `halfvec` ends (pgvector README, "HNSW"). */
const MOST_DIMENSIONS = 4_000;

/** More than one process answers. */
const MOST_CALLS_PER_SECOND = 100_000;

/** What the plugin itself has; modules of other packages add to it, so the schema can't know all. */
export const OWN_IDS = {
  embeddingProviders: ['ollama', 'openai', 'lexical'],
  languageModels: ['ollama', 'openai', 'extractive'],
  vectorStores: ['memory', 'embedded', 'postgresql'],
};

const embeddingSchema = section({
  provider: text(`one of ${OWN_IDS.embeddingProviders.join(', ')}`).optional(),
  dimensions: integer(1, MOST_DIMENSIONS).optional(),
  batchSize: integer(1, 2_048).optional(),
  maxParallelCalls: integer(1, 64).optional(),
  timeoutMs: integer(1, LONGEST_CALL_MS).default(DEFAULTS.embedding.timeoutMs),
  minSimilarity: ratio().default(DEFAULTS.embedding.minSimilarity),
  onModelChange: choice(['refuse', 'reembed']).default(DEFAULTS.embedding.onModelChange),
});

const llmSchema = section({
  provider: text(`one of ${OWN_IDS.languageModels.join(', ')}`).optional(),
  contextTokens: integer(512, 10_000_000).default(DEFAULTS.llm.contextTokens),
  timeoutMs: integer(1, LONGEST_CALL_MS).default(DEFAULTS.llm.timeoutMs),
});

const openaiSchema = section({
  baseUrl: httpUrl().default(DEFAULTS.openaiBaseUrl),
  apiKey: text('the key of the API').optional(),
  headers: z
    .record(z.string(), z.string('a text'), 'an object of header names and texts')
    .default({}),
  apiVersion: text('a version such as "2024-10-21"').optional(),
  proxy: httpUrl().optional(),
});

const redactionPatternSchema = section({
  name: text('a name, which stands where the text was redacted'),
  regex: text('a regular expression')
    .refine(isRegularExpression, 'a regular expression of JavaScript')
    .refine(neverMatchesNothing, 'a regular expression that does not match an empty text'),
});

const indexSchema = section({
  filter: catalogFilterSchema.optional(),
  kinds: listOf(text('the kind of an entity'), 'a list of entity kinds')
    .min(1, 'a list of at least one kind')
    .optional(),
  excludeKinds: listOf(text('the kind of an entity'), 'a list of entity kinds').optional(),
  sources: section({
    catalog: flag().default(true),
    techdocs: flag().default(true),
  }).prefault({}),
  redact: section({
    builtIn: flag().default(true),
    patterns: listOf(redactionPatternSchema, 'a list of { name, regex }').default([]),
  }).prefault({}),
  maxVanishedRatio: ratio().default(DEFAULTS.index.maxVanishedRatio),
  settleSeconds: integer(0, 3_600).default(DEFAULTS.index.settleSeconds),
});

const permissionsSchema = section({
  budgetMs: integer(0, 60_000).default(DEFAULTS.permissions.budgetMs),
});

const rateLimitSchema = section({
  searchesPerSecond: integer(0, MOST_CALLS_PER_SECOND).default(
    DEFAULTS.rateLimit.searchesPerSecond,
  ),
  questionsPerSecond: integer(0, MOST_CALLS_PER_SECOND).default(
    DEFAULTS.rateLimit.questionsPerSecond,
  ),
});

const questionsSchema = section({
  keepTexts: flag().default(false),
  retentionDays: integer(1, 3_650).default(DEFAULTS.questions.retentionDays),
});

const auditSchema = section({
  includeQuestions: flag().default(false),
});

const resilienceSchema = section({
  maxAttempts: integer(1, 100).default(DEFAULTS.resilience.maxAttempts),
  attemptTimeoutMillis: integer(1, LONGEST_CALL_MS).default(
    DEFAULTS.resilience.attemptTimeoutMillis,
  ),
  readDeadlineMillis: integer(1, LONGEST_CALL_MS).default(DEFAULTS.resilience.readDeadlineMillis),
  writeDeadlineMillis: integer(1, LONGEST_CALL_MS).default(DEFAULTS.resilience.writeDeadlineMillis),
  breakerFailures: integer(1, 1_000).default(DEFAULTS.resilience.breakerFailures),
  breakerOpenMillis: integer(1, LONGEST_CALL_MS).default(DEFAULTS.resilience.breakerOpenMillis),
});

const cacheSchema = section({
  enabled: flag().default(false),
  ttlSeconds: integer(1, 86_400).default(DEFAULTS.cache.ttlSeconds),
  embeddingTtlSeconds: integer(1, 2_592_000).default(DEFAULTS.cache.embeddingTtlSeconds),
  maxEntries: integer(1, 1_000_000).default(DEFAULTS.cache.maxEntries),
  maxBytes: integer(1_024, 17_179_869_184).default(DEFAULTS.cache.maxBytes),
  timeoutMs: integer(1, 10_000).default(DEFAULTS.cache.timeoutMs),
});

const vectorStoreSchema = section({
  type: text(`one of ${OWN_IDS.vectorStores.join(', ')}`).optional(),
  embedded: section({
    directory: text('the path of a folder').default(DEFAULTS.embedded.directory),
  }).prefault({}),
  // No block says the same as one that describes only the index, and nothing of it.
  postgresql: postgresqlSchema.prefault({ index: {} }),
  resilience: resilienceSchema.prefault({}),
});

/** The `askAi` block of the configuration. */
export const askAiSchema = section({
  defaultModel: text('the name of a language model').optional(),
  allowedModels: listOf(text('the name of a language model'), 'a list of model names').optional(),
  embeddingModel: text('the name of an embedding model').optional(),
  ollamaBaseUrl: httpUrl().default(DEFAULTS.ollamaBaseUrl),
  embedding: embeddingSchema.prefault({}),
  llm: llmSchema.prefault({}),
  openai: openaiSchema.prefault({}),
  defaultTopK: integer(1, 100).default(DEFAULTS.topK),
  chunkSize: integer(16, 8_192).default(DEFAULTS.chunkSize),
  chunkOverlap: integer(0, 4_096).default(DEFAULTS.chunkOverlap),
  schedule: scheduleSchema,
  index: indexSchema.prefault({}),
  permissions: permissionsSchema.prefault({}),
  rateLimit: rateLimitSchema.prefault({}),
  questions: questionsSchema.prefault({}),
  audit: auditSchema.prefault({}),
  cache: cacheSchema.prefault({}),
  vectorStore: vectorStoreSchema.prefault({}),
  healthCheckIntervalMs: integer(0, LONGEST_CALL_MS).default(DEFAULTS.healthCheckIntervalMs),
  shutdownTimeoutMillis: integer(0, LONGEST_CALL_MS).default(DEFAULTS.shutdownTimeoutMillis),
});

/** The block as it was given, checked and with its fixed defaults. */
export type CheckedAskAi = z.output<typeof askAiSchema>;

/**
 * Where secrets lie: what is given there, or in place of a block that holds one, is never printed.
 * The same keys carry `@visibility secret` in `config.d.ts`.
 */
export const SECRET_PATHS = [
  'openai.apiKey',
  'openai.headers',
  'openai.proxy',
  'vectorStore.postgresql.password',
  'vectorStore.postgresql.admin.password',
  'vectorStore.postgresql.reader.password',
  'vectorStore.postgresql.connectionString',
  'vectorStore.postgresql.ssl.key',
];

function isRegularExpression(source: string): boolean {
  try {
    new RegExp(source, 'g');
    return true;
  } catch {
    return false;
  }
}

function neverMatchesNothing(source: string): boolean {
  return !isRegularExpression(source) || !new RegExp(source).test('');
}
