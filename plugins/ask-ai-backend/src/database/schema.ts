import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { tsvector, vector } from './vectorColumn';

/** Dimensions of a new store: those of `all-minilm` and of the built-in lexical embedding. */
export const DEFAULT_DIMENSIONS = 384;

/** Of a new index: pgvector's own defaults. */
export const DEFAULT_VECTOR_INDEX: VectorIndexDefinition = {
  m: 16,
  efConstruction: 64,
  precision: 'full',
};

/** Of a new store. */
export const DEFAULT_TEXT_SEARCH_CONFIG = 'english';

/**
 * How much of a text is searched by words, in characters. A tsvector ends at 1 MB; this stays below
 * it for any text, and a chunk is a twentieth of it.
 */
const SEARCHED_CHARACTERS = 32_768;

/**
 * What a chunk is found by: the words of the title (A), of the entity's name (B) and of the text (D), as
 * they stand and with identifiers taken apart. `backend.auth.externalAccess` is found as a whole and by
 * each of its words.
 *
 * @param textSearchConfig - of PostgreSQL: `english`, `simple`, `my_schema.my_config`.
 */
export function searchedWords(textSearchConfig: string): string {
  const words = (column: string) => {
    const text = `left(${column}, ${SEARCHED_CHARACTERS})`;
    const config = quoted(textSearchConfig);
    return `to_tsvector(${config}, ${text}) || to_tsvector(${config}, ${takenApart(text)})`;
  };
  return `setweight(${words("coalesce(title, '')")}, 'A') || setweight(${words('entity_name')}, 'B') || ${words('content')}`;
}

/** Words instead of identifiers: `aws.ecr.maxScanFindings` gives `aws ecr max Scan Findings`. */
export function takenApart(text: string): string {
  return withoutPunctuation(
    `regexp_replace(${text}, '([[:lower:]])([[:upper:]])', '\\1 \\2', 'g')`,
  );
}

export function withoutPunctuation(text: string): string {
  return `regexp_replace(${text}, '[^[:alnum:]]+', ' ', 'g')`;
}

/** As a literal of SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * The table of chunks for a name, a dimension, a vector index and a language. The live table is always
 * `embeddings`; what is loaded or re-embedded is built beside it under another name and swapped in.
 */
export function embeddingsTable(
  name: string,
  dimensions: number,
  vectorIndex: VectorIndexDefinition = DEFAULT_VECTOR_INDEX,
  textSearchConfig = DEFAULT_TEXT_SEARCH_CONFIG,
) {
  return pgTable(
    name,
    {
      /** The only unique constraint: it is what a distributed PostgreSQL would shard on. */
      id: text('id').primaryKey(),
      chunkId: text('chunk_id').notNull(),
      entityId: text('entity_id').notNull(),
      entityName: text('entity_name').notNull(),
      vector: vector('vector', { dimensions }).notNull(),
      content: text('content').notNull(),
      source: text('source').$type<'catalog' | 'techdocs'>().notNull(),
      chunkIndex: integer('chunk_index').notNull(),
      totalChunks: integer('total_chunks').notNull(),
      title: text('title'),
      location: text('location'),
      /** Of everything in the row but the vector: equal rows are not written again. */
      contentHash: text('content_hash').notNull(),
      /** Of the vector as float4. */
      vectorHash: text('vector_hash').notNull(),
      entityKind: text('entity_kind').generatedAlwaysAs(
        sql`case when position(':' in entity_id) > 0 then lower(split_part(entity_id, ':', 1)) else '' end`,
      ),
      entityNamespace: text('entity_namespace').generatedAlwaysAs(
        sql`case when entity_id like '%:%/%' then lower(split_part(split_part(entity_id, ':', 2), '/', 1)) else '' end`,
      ),
      /** See {@link searchedWords}. */
      contentTsv: tsvector('content_tsv').generatedAlwaysAs(
        sql.raw(searchedWords(textSearchConfig)),
      ),
      createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
      updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
    },
    table => [
      index(`${name}_vector_idx`)
        .using(
          'hnsw',
          vectorIndex.precision === 'full'
            ? table.vector.op('vector_cosine_ops')
            : sql.raw(`(${halfVector(dimensions)}) halfvec_cosine_ops`),
        )
        .with({ m: vectorIndex.m, ef_construction: vectorIndex.efConstruction }),
      index(`${name}_entity_id_idx`).on(table.entityId),
      index(`${name}_chunk_id_idx`).on(table.chunkId),
      index(`${name}_entity_kind_idx`).on(table.entityKind),
      index(`${name}_entity_namespace_idx`).on(table.entityNamespace),
      index(`${name}_content_tsv_idx`).using('gin', table.contentTsv),
      check(`${name}_source_check`, sql`${table.source} in ('catalog', 'techdocs')`),
    ],
  );
}

/** What an index of half precision holds; a search must order by the same expression. */
export function halfVector(dimensions: number): string {
  return `"vector"::halfvec(${Math.trunc(dimensions)})`;
}

/** Every chunk with its embedding. */
export const embeddings = embeddingsTable('embeddings', DEFAULT_DIMENSIONS);

/**
 * How many chunks hold a word, when they were counted; the row of the empty word holds how many
 * chunks there were. Ranks and the choice of words rely on it, so it may lag behind.
 */
export const keywordStatistics = pgTable('keyword_statistics', {
  lexeme: text('lexeme').primaryKey(),
  chunkCount: integer('chunk_count').notNull(),
});

/**
 * What was measured of the vector index, and how it is searched since: one row, or none before the
 * first measurement. Every search reads `ef_search` as a part of its statement, so a new value holds
 * for all replicas at once.
 */
export const vectorIndexCalibration = pgTable(
  'vector_index_calibration',
  {
    /** Always true: there is one vector index. */
    singleton: boolean('singleton').primaryKey().default(true),
    efSearch: integer('ef_search').notNull(),
    recall: doublePrecision('recall').notNull(),
    recallTarget: doublePrecision('recall_target').notNull(),
    sampleSize: integer('sample_size').notNull(),
    /** Rows in the table at the time. */
    rowCount: integer('row_count').notNull(),
    measuredAt: timestamp('measured_at', { withTimezone: true }).notNull().defaultNow(),
  },
  table => [
    check('vector_index_calibration_singleton_check', sql`${table.singleton}`),
    check('vector_index_calibration_ef_search_check', sql`${table.efSearch} between 1 and 1000`),
  ],
);

/** What was indexed, a row a document. */
export const indexedDocuments = pgTable(
  'indexed_documents',
  {
    entityId: text('entity_id').notNull(),
    source: text('source').$type<'catalog' | 'techdocs'>().notNull(),
    fingerprint: text('fingerprint').notNull(),
    chunkCount: integer('chunk_count').notNull(),
    indexedAt: timestamp('indexed_at', { withTimezone: true }).notNull().defaultNow(),
  },
  table => [
    primaryKey({ columns: [table.entityId, table.source] }),
    check('indexed_documents_source_check', sql`${table.source} in ('catalog', 'techdocs')`),
  ],
);

/** What embedded the stored vectors: one row, or none in a store that was never filled. */
export const embeddingSpace = pgTable(
  'embedding_space',
  {
    /** Always true: there is one embedding space. */
    singleton: boolean('singleton').primaryKey().default(true),
    provider: text('provider').notNull(),
    model: text('model').notNull(),
    dimensions: integer('dimensions').notNull(),
    chunkerVersion: integer('chunker_version').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  table => [check('embedding_space_singleton_check', sql`${table.singleton}`)],
);

/** Runs of the index, finished and under way. */
export const indexRuns = pgTable(
  'index_runs',
  {
    id: text('id').primaryKey(),
    trigger: text('trigger').$type<'startup' | 'schedule' | 'manual' | 'entity'>().notNull(),
    /** Who asked for it, as an entity reference or a service subject. */
    requestedBy: text('requested_by'),
    /** The one entity that the run is about. */
    entityRef: text('entity_ref'),
    state: text('state')
      .$type<'queued' | 'running' | 'completed' | 'failed' | 'cancelled'>()
      .notNull(),
    reason: text('reason'),
    /** The process that does the work, and where it runs. */
    owner: jsonb('owner').$type<{ instanceId: string; hostname: string; pid: number }>(),
    /** Orders the runs that wait. */
    requestedAt: timestamp('requested_at', { withTimezone: true }).notNull().defaultNow(),
    startedAt: timestamp('started_at', { withTimezone: true }).notNull().defaultNow(),
    /** A run whose heartbeat stopped was killed. */
    heartbeatAt: timestamp('heartbeat_at', { withTimezone: true }).notNull().defaultNow(),
    finishedAt: timestamp('finished_at', { withTimezone: true }),
    cancelRequested: boolean('cancel_requested').notNull().default(false),
    documentsSeen: integer('documents_seen').notNull().default(0),
    documentsChanged: integer('documents_changed').notNull().default(0),
    documentsRemoved: integer('documents_removed').notNull().default(0),
    documentsFailed: integer('documents_failed').notNull().default(0),
    /** How many documents there will be, where that is known. */
    documentsExpected: integer('documents_expected'),
    chunksEmbedded: integer('chunks_embedded').notNull().default(0),
    chunksSkipped: integer('chunks_skipped').notNull().default(0),
    chunksRemoved: integer('chunks_removed').notNull().default(0),
    tokens: integer('tokens').notNull().default(0),
  },
  table => [
    index('index_runs_started_at_idx').on(table.startedAt),
    /** At most one run at a time, on any number of replicas. */
    uniqueIndex('index_runs_running_idx').on(table.state).where(sql`${table.state} = 'running'`),
    check(
      'index_runs_state_check',
      sql`${table.state} in ('queued', 'running', 'completed', 'failed', 'cancelled')`,
    ),
  ],
);

/** Documents that the latest attempt could not index; a row goes when a later attempt succeeds. */
export const indexFailures = pgTable(
  'index_failures',
  {
    entityId: text('entity_id').notNull(),
    source: text('source').notNull(),
    reason: text('reason').notNull(),
    failedAt: timestamp('failed_at', { withTimezone: true }).notNull().defaultNow(),
  },
  table => [primaryKey({ columns: [table.entityId, table.source] })],
);

/** Questions that were asked, without who asked; texts only where `askAi.questions.keepTexts` is set. */
export const askedQuestions = pgTable(
  'asked_questions',
  {
    /** Of the answer. */
    id: text('id').primaryKey(),
    askedAt: timestamp('asked_at', { withTimezone: true }).notNull().defaultNow(),
    model: text('model').notNull(),
    found: boolean('found').notNull(),
    question: text('question'),
    /** Equal for questions that are counted together. */
    questionKey: text('question_key'),
    rating: text('rating').$type<'helpful' | 'unhelpful'>(),
    comment: text('comment'),
  },
  table => [
    index('asked_questions_asked_at_idx').on(table.askedAt),
    check('asked_questions_rating_check', sql`${table.rating} in ('helpful', 'unhelpful')`),
  ],
);
