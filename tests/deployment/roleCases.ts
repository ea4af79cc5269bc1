import { randomBytes } from 'node:crypto';
import type { EmbeddingSpace } from 'backstage-plugin-ask-ai-node';
import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import type { DatabaseConnection } from '../../plugins/ask-ai-backend/src/database/connection';
import { PgVectorStore } from '../../plugins/ask-ai-backend/src/services/PgVectorStore';
import type { OpenStores } from '../../plugins/ask-ai-backend/src/services/VectorStoreFactory';
import { row, rows } from '../../plugins/ask-ai-backend/src/testing/loadFixtures';
import { noProgress } from '../../plugins/ask-ai-backend/src/types';

export type Role = 'admin' | 'writer' | 'reader';

const SUFFIX = randomBytes(4).toString('hex');

/** Of the roles; no other test's. */
export const NAMES: Record<Role, string> = {
  admin: `ask_ai_test_${SUFFIX}_admin`,
  writer: `ask_ai_test_${SUFFIX}_writer`,
  reader: `ask_ai_test_${SUFFIX}_reader`,
};

export const SPACE: EmbeddingSpace = {
  provider: 'test',
  model: 'm',
  dimensions: 8,
  chunkerVersion: 1,
};
export const QUERY = row('7').vector;
const KEY = { entityId: 'component:default/e1', source: 'techdocs' as const };
const owner = { instanceId: 'test', hostname: 'test', pid: 1 };

/** What the cases work with. */
export interface Context extends OpenStores {
  connection: DatabaseConnection;
}

/** By the pools of the product: what a role must be able to do. */
export const MUST_WORK: Record<Role, Record<string, (context: Context) => Promise<unknown>>> = {
  reader: {
    'search by vector': ({ store }) => store.search(QUERY, 5),
    'search one entity': ({ store }) => store.search(QUERY, 5, 'component:default/e2'),
    'search by words and vector': ({ store }) =>
      store.searchRanked({ mode: 'hybrid', text: 'new', vector: QUERY, topK: 5, space: SPACE }),
    count: ({ store }) => store.count(),
    'tell how much is stored': ({ store }) => store.stats(),
    export: ({ store }) => first(store.export()),
    'list documents': ({ store }) => first(store.documents()),
    'read the embedding space': ({ store }) => store.embeddingSpace(),
    'measure the index': ({ store }) => asPg(store).index.measureRecall({ sampleSize: 5 }),
    'explain searches': ({ store }) => asPg(store).index.explain(),
  },
  writer: {
    'store a chunk': ({ store }) => store.store(row('stored')),
    'replace a document': ({ store }) =>
      store.replaceDocuments([
        { ...KEY, fingerprint: '1', embedded: [row('mine', 'm', KEY.entityId)], kept: [] },
      ]),
    'remove a document': ({ store }) => store.removeDocument(KEY),
    'clear an entity': ({ store }) => store.clear('component:default/e3'),
    'clear everything': ({ store }) => store.clear(),
    'claim an embedding space': ({ store }) => store.useEmbeddingSpace(SPACE),
    'store the measured index settings': ({ connection }) =>
      connection.db.execute(sql`update vector_index_calibration set ef_search = ef_search`),
    'queue, take and finish a run': async ({ runs }) => {
      await runs.enqueue({ trigger: 'manual' });
      const run = await runs.claim(owner);
      if (typeof run === 'string') {
        throw new Error(run);
      }
      await runs.heartbeat(run.id, noProgress());
      await runs.finish(run.id, 'completed', noProgress());
    },
    'record and forget a failure': async ({ runs }) => {
      await runs.recordFailure({ ...KEY, reason: 'r' });
      await runs.failures(1);
      await runs.forgetFailure(KEY);
    },
    'record, rate and forget a question': async ({ questions }) => {
      await questions.record({ id: 'q', model: 'm', found: false, text: 't' });
      await questions.rate('q', { rating: 'unhelpful' });
      await questions.unanswered(5);
      await questions.forget(new Date());
    },
  },
  admin: {
    'load the table': ({ store }) => store.replaceAll(rows(50, 'again')),
    're-embed into another dimension': ({ store }) =>
      store.changeEmbeddingSpace({ ...SPACE, model: 'n', dimensions: 4 }, async chunks =>
        chunks.map((_, position) => [1, position, 0, 0]),
      ),
    'rebuild the vector index': ({ store }) => asPg(store).index.build({ m: 8 }),
    'refresh statistics': ({ store }) => store.refreshStatistics(),
    vacuum: async ({ connection }) =>
      connection.admin.withMaintenanceSession(session => session.execute(sql`vacuum embeddings`)),
    'alter a table': ({ connection }) =>
      connection.admin.db.execute(
        sql`alter table embeddings set (autovacuum_vacuum_scale_factor = 0.1)`,
      ),
    'make a table': ({ connection }) =>
      connection.admin.db.execute(sql`create table admins_own (id text)`),
  },
};

/** By plain SQL on the pools of the product: what a role must be refused. */
export const MUST_BE_REFUSED: Record<Role, Record<string, string>> = {
  reader: {
    'insert chunks': `insert into embeddings (id) values ('x')`,
    'change chunks': `update embeddings set content = ''`,
    'remove chunks': 'delete from embeddings',
    'empty the table': 'truncate embeddings',
    'change statistics of words': 'delete from keyword_statistics',
    'change the index settings': 'update vector_index_calibration set ef_search = 1',
    'change the embedding space': 'delete from embedding_space',
    'change records of documents': 'delete from indexed_documents',
    'see who asked for runs': 'select * from index_runs',
    'ask for a run': `insert into index_runs (id, trigger, state) values ('x', 'manual', 'queued')`,
    'see what failed': 'select * from index_failures',
    'read questions': 'select * from asked_questions',
    'record a question': `insert into asked_questions (id, model, found) values ('x', 'm', true)`,
    'make a table': 'create table x (id text)',
    'make a temporary table': 'create temporary table x (id text)',
    'keep everybody waiting': 'do $$ begin lock table embeddings in access exclusive mode; end $$',
    'become the writer': `set role ${NAMES.writer}`,
    'become the admin': `set role ${NAMES.admin}`,
  },
  writer: {
    'make a table': 'create table x (id text)',
    'make a temporary table': 'create temporary table x (id text)',
    'make an index': 'create index on embeddings (title)',
    'drop the vector index': 'drop index embeddings_vector_idx',
    'alter a table': 'alter table embeddings add column x text',
    'drop a table': 'drop table embeddings',
    'empty a table': 'truncate embeddings',
    'switch triggers off': 'alter table embeddings disable trigger all',
    'forge the journal of migrations': `insert into ask_ai_migrations (hash, created_at) values ('x', 1)`,
    'take a table over': `alter table embeddings owner to ${NAMES.writer}`,
    'make an extension': 'create extension pg_trgm',
    'make a role': 'create role x',
    'become the admin': `set role ${NAMES.admin}`,
  },
  admin: {
    'make a role': 'create role x',
    'make a database': 'create database x',
    'make a schema': 'create schema x',
    'drop the extension': 'drop extension vector',
    'change the server': `alter system set work_mem = '1MB'`,
    'read files of the server': `select pg_read_file('postgresql.conf')`,
    'start programs on the server': `copy (select 1) to program 'true'`,
    'become a superuser': 'set role postgres',
  },
};

async function first<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) {
    return item;
  }
  return undefined;
}

function asPg(store: unknown): PgVectorStore {
  expect(store).toBeInstanceOf(PgVectorStore);
  return store as PgVectorStore;
}
