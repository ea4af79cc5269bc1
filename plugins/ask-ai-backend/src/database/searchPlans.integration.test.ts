import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../tests/services/poll';
import type { PgVectorStore } from '../services/PgVectorStore';
import {
  embeddings,
  entity,
  queryVectors,
  type ServerStore,
  ServerStores,
} from '../testing/serverStores';
import { type DatabaseConnection, selectRows } from './connection';

const ROWS = 10_000;
const ENTITIES = ROWS / 10;

/** PostgreSQL chooses between a plan for any values and one for the values at hand from the sixth call on. */
const CALLS = 12;
const TOP_K = 10;
const STATISTICS_MS = 20_000;

/** What the calls of a shape ask for, by the shape's name in `index.explain()`. */
const SEARCHES: Record<string, (store: PgVectorStore, vector: Float32Array) => Promise<unknown[]>> =
  {
    nearest: (store, vector) => store.search(vector, TOP_K),
    'nearest in one entity': (store, vector) => store.search(vector, TOP_K, entity(3)),
    'nearest in some entities': (store, vector) =>
      store.search(vector, TOP_K, { entityIds: [entity(3), entity(4)] }),
    'nearest of a kind': (store, vector) => store.search(vector, TOP_K, { kinds: ['component'] }),
    'nearest in a namespace': (store, vector) =>
      store.search(vector, TOP_K, { namespaces: ['ns3'] }),
    'nearest of a source': (store, vector) => store.search(vector, TOP_K, { sources: ['catalog'] }),
    'hybrid: by meaning': searchHybrid,
    'hybrid: by words': searchHybrid,
  };

function searchHybrid(store: PgVectorStore, vector: Float32Array): Promise<unknown[]> {
  return store.searchRanked({ mode: 'hybrid', text: 'What is word17?', vector, topK: TOP_K });
}

const entityIds = (count: number) => Array.from({ length: count }, (_, number) => entity(number));

/** Scans of the table `embeddings`: by each of its indexes, and of the whole table. */
type Scans = Record<string, number>;

async function readScans(connection: DatabaseConnection): Promise<Scans> {
  // Of this session, which is the one that the store searches on.
  await connection.db.execute(sql`select pg_stat_force_next_flush()`);
  const rows = await selectRows<{ name: string; scans: string }>(
    connection.db,
    sql`
      select indexrelname as name, idx_scan as scans from pg_stat_user_indexes where relname = 'embeddings'
      union all
      select 'the whole table', seq_scan from pg_stat_user_tables where relname = 'embeddings'`,
  );
  return Object.fromEntries(rows.map(({ name, scans }) => [name, Number(scans)]));
}

/** How often the calls scanned what, once one of the expected indexes was scanned by each of them. */
async function scansOf(
  { store, connection }: ServerStore,
  expected: string[],
  search: (store: PgVectorStore, vector: Float32Array) => Promise<unknown[]>,
  dimensions: number,
): Promise<Scans> {
  const before = await readScans(connection);
  const vectors = queryVectors(dimensions);
  for (let call = 0; call < CALLS; call++) {
    expect(await search(store, vectors.next())).toHaveLength(TOP_K);
  }
  let difference: Scans = {};
  await pollUntil(`${CALLS} scans of ${expected.join(' or ')}`, STATISTICS_MS, async () => {
    const after = await readScans(connection);
    difference = Object.fromEntries(
      Object.entries(after).map(([name, scans]) => [name, scans - (before[name] ?? 0)]),
    );
    const scans = expected.reduce((sum, name) => sum + (difference[name] ?? 0), 0);
    return scans >= CALLS || undefined;
  }).catch(() => {
    throw new Error(
      `Not ${CALLS} scans of ${expected.join(' or ')}: ${JSON.stringify(difference)}`,
    );
  });
  return difference;
}

const SMALL_GRAPH = { m: 8, efConstruction: 32 };
const VARIANTS: [number, VectorIndexDefinition['precision']][] = [
  [384, 'full'],
  [384, 'half'],
  [1_536, 'full'],
];

describe.each(VARIANTS)(
  `plans at ${ROWS} rows of %i dimensions, %s precision`,
  { timeout: 120_000 },
  (dimensions, precision) => {
    let stores: ServerStores;
    let opened: ServerStore;

    const openOneSession = () => stores.open({ migrate: false, maxConnections: 1 });

    beforeAll(async () => {
      stores = await ServerStores.create();
      const filling = await stores.open({ dimensions, index: { ...SMALL_GRAPH, precision } });
      await filling.store.storeAll(embeddings(ROWS, { dimensions }));
      opened = await openOneSession();
    }, 180_000);

    afterAll(() => stores.close());

    it('explains each shape with the index that it is made for', async () => {
      const plans = await opened.store.index.explain();
      expect(plans.map(({ shape }) => shape)).toEqual(Object.keys(SEARCHES));
      for (const { shape, indexes, expected, usesExpected, plan } of plans) {
        expect(usesExpected, `${shape} needs ${expected}, got ${indexes}: ${plan.join('\n')}`).toBe(
          true,
        );
      }
    });

    it('uses that index in each of many calls, and never reads the whole table', async () => {
      for (const { shape, expected } of await opened.store.index.explain()) {
        const search = SEARCHES[shape];
        const scans = await scansOf(opened, expected, search ?? fail, dimensions);
        expect([shape, scans['the whole table']]).toEqual([shape, 0]);
      }
    });

    it('prepares one statement a shape, and calls it again and again', async () => {
      const { connection, store } = await openOneSession();
      const vectors = queryVectors(dimensions);
      for (let call = 0; call < CALLS; call++) {
        for (const search of Object.values(SEARCHES)) {
          await search(store, vectors.next());
        }
      }
      const statements = await selectRows<{ name: string; runs: string }>(
        connection.db,
        sql`
          select name, generic_plans + custom_plans as runs from pg_prepared_statements
          where name like 'ask_ai_%' order by name`,
      );
      const settings = `${precision}_${dimensions}_calibrated`;
      // Both shapes of a hybrid search are of one statement.
      expect(statements.map(({ name, runs }) => [name, Number(runs)])).toEqual([
        [`ask_ai_hybrid_${settings}_10`, 2 * CALLS],
        [`ask_ai_nearest_by_entityIds_${settings}`, CALLS],
        [`ask_ai_nearest_by_kinds_${settings}`, CALLS],
        [`ask_ai_nearest_by_namespaces_${settings}`, CALLS],
        [`ask_ai_nearest_by_sources_${settings}`, CALLS],
        [`ask_ai_nearest_${settings}_10`, CALLS],
        ['ask_ai_nearest_of_entity_10', CALLS],
      ]);
    });

    it('plans a filter for its values: first many rows, then few, then many', async () => {
      const session = await openOneSession();
      const scansFor = (count: number, expected: string) =>
        scansOf(
          session,
          [expected],
          (store, vector) => store.search(vector, TOP_K, { entityIds: entityIds(count) }),
          dimensions,
        );
      const byVector = { embeddings_vector_idx: CALLS, embeddings_entity_id_idx: 0 };
      expect(await scansFor(0.9 * ENTITIES, 'embeddings_vector_idx')).toMatchObject(byVector);
      expect(await scansFor(2, 'embeddings_entity_id_idx')).toMatchObject({
        embeddings_vector_idx: 0,
      });
      expect(await scansFor(0.9 * ENTITIES, 'embeddings_vector_idx')).toMatchObject(byVector);
    });

    it('plans both legs of a hybrid search with a filter for its values', async () => {
      const session = await openOneSession();
      const scans = await scansOf(
        session,
        ['embeddings_vector_idx'],
        (store, vector) =>
          store.searchRanked({
            mode: 'hybrid',
            text: 'What is word17?',
            vector,
            topK: TOP_K,
            filter: { entityIds: entityIds(0.9 * ENTITIES) },
          }),
        dimensions,
      );
      expect(scans).toMatchObject({
        embeddings_vector_idx: CALLS,
        embeddings_content_tsv_idx: CALLS,
        'the whole table': 0,
      });
    });
  },
);

function fail(): never {
  throw new Error('A shape is explained that this test does not know.');
}
