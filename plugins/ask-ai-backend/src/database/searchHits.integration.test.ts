import type {
  SearchFilter,
  SearchResult,
  VectorIndexDefinition,
} from 'backstage-plugin-ask-ai-common';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../tests/services/poll';
import { InMemoryVectorStore } from '../services/InMemoryVectorStore';
import type { PgVectorStore } from '../services/PgVectorStore';
import { embeddings, queryVectors, ServerStores } from '../testing/serverStores';
import { selectRows } from './connection';

const ROWS = 3_000;
const DIMENSIONS = 16;

/** float4 arithmetic in another order differs by less. */
const TOLERANCE = 1e-4;

/** The first rows are of entities, kinds and namespaces that have few; the others of a few large ones. */
function entityOf(row: number): string {
  if (row < 15) {
    return `resource:rare/of-${row < 1 ? 1 : row < 4 ? 3 : 11}-rows`;
  }
  return `${row % 3 === 0 ? 'api' : 'component'}:${row % 10 === 0 ? 'tenth' : 'most'}/service-${row % 7}`;
}

const ENTITY_IDS = [...new Set(Array.from({ length: 200 }, (_, row) => entityOf(row)))];

const someOf = <T>(...items: T[]) => fc.subarray(items, { minLength: 0, maxLength: items.length });
const filters: fc.Arbitrary<SearchFilter> = fc.record(
  {
    entityIds: someOf(...ENTITY_IDS, 'component:most/unknown'),
    kinds: someOf('component', 'api', 'resource', 'system'),
    namespaces: someOf('most', 'tenth', 'rare', 'unknown'),
    sources: someOf('catalog', 'techdocs'),
  },
  { requiredKeys: [] },
);
const topKs = fc.integer({ min: 1, max: 200 });
const vectors = fc.noShrink(
  fc.integer({ min: 0, max: 99 }).map(number => QUERIES[number] as Float32Array),
);
const queries = queryVectors(DIMENSIONS);
const QUERIES = Array.from({ length: 100 }, () => queries.next());

/** Of the searches of a property; 60 of them take about a second. */
const RUNS = { seed: 20_263, numRuns: 60 };

const idsOf = (hits: SearchResult[]) => hits.map(({ documentChunk }) => documentChunk.id);

/** `topK` hits or all that match, each once, all of them matches, by similarity. */
function expectHits(hits: SearchResult[], matches: SearchResult[], topK: number): void {
  const similarities = new Map(
    matches.map(({ documentChunk, similarity }) => [documentChunk.id, similarity]),
  );
  expect(hits).toHaveLength(Math.min(topK, matches.length));
  expect(new Set(idsOf(hits)).size).toBe(hits.length);
  hits.forEach(({ documentChunk, similarity }, position) => {
    const exact = similarities.get(documentChunk.id) ?? Number.NaN;
    expect(Math.abs(similarity - exact)).toBeLessThan(TOLERANCE);
    expect(similarity).toBeLessThanOrEqual(hits[position - 1]?.similarity ?? 1 + TOLERANCE);
  });
}

const PRECISIONS: VectorIndexDefinition['precision'][] = ['full', 'half'];

describe.each(PRECISIONS)(
  'hits of a search by an index of %s precision',
  { timeout: 120_000 },
  precision => {
    let stores: ServerStores;
    let store: PgVectorStore;
    let memory: InMemoryVectorStore;

    beforeAll(async () => {
      stores = await ServerStores.create();
      // So few rows would be sorted; what is not to be sorted costs so much that plans are compiled.
      await stores.setForAll('enable_sort', 'off');
      await stores.setForAll('jit', 'off');
      ({ store } = await stores.open({ dimensions: DIMENSIONS, index: { precision } }));
      memory = InMemoryVectorStore.create({ dimensions: DIMENSIONS });
      const rows = [...embeddings(ROWS, { dimensions: DIMENSIONS, entityOf })];
      await store.storeAll(rows);
      await memory.storeAll(rows);
    }, 60_000);

    afterAll(() => stores.close());

    /** Any number of random searches: each gives min(topK, matching rows) hits. */
    const expectAllHits = () =>
      fc.assert(
        fc.asyncProperty(vectors, filters, topKs, async (vector, filter, topK) => {
          const matches = await memory.search(vector, ROWS, filter);
          expectHits(await store.search(vector, topK, filter), matches, topK);
        }),
        RUNS,
      );

    it('are as many as asked for, or as match the filter', expectAllHits);

    it('are as many as asked for by meaning and by words, too', async () => {
      const modes = fc.constantFrom<'vector' | 'hybrid'>('vector', 'hybrid');
      await fc.assert(
        fc.asyncProperty(modes, vectors, filters, topKs, async (mode, vector, filter, topK) => {
          const query = { mode, vector, text: 'What is word17?', topK, filter };
          const hits = await store.searchRanked(query);
          const exact = await memory.searchRanked(query);
          expect(hits).toHaveLength(exact.length);
          expect(new Set(idsOf(hits)).size).toBe(hits.length);
        }),
        RUNS,
      );
    });

    it('of a search with a minimum similarity are those of one without that reach it', async () => {
      const minima = fc.double({ min: -0.5, max: 1, noNaN: true });
      await fc.assert(
        fc.asyncProperty(vectors, filters, topKs, minima, async (vector, filter, topK, minimum) => {
          const hits = await store.search(vector, topK, { ...filter, minSimilarity: minimum });
          const all = await store.search(vector, topK, filter);
          expect(idsOf(hits)).toEqual(idsOf(all.filter(({ similarity }) => similarity >= minimum)));
        }),
        RUNS,
      );
    });

    it('are exact in one entity', async () => {
      for (const [position, entityId] of ENTITY_IDS.entries()) {
        const vector = QUERIES[position] as Float32Array;
        const [hits, exact] = await Promise.all([
          store.search(vector, 20, entityId),
          memory.search(vector, 20, entityId),
        ]);
        expect(idsOf(hits)).toEqual(idsOf(exact));
      }
    });

    it('are as many when scans of the index end at once', async () => {
      await stores.setForAll('hnsw.max_scan_tuples', '1');
      ({ store } = await stores.open({ migrate: false }));
      await expectAllHits();
      const filter = { kinds: ['resource'], sources: ['techdocs' as const] };
      const query = { mode: 'hybrid' as const, text: 'word17', topK: 50, filter };
      for (const vector of QUERIES.slice(0, 10)) {
        const exact = await memory.searchRanked({ ...query, vector });
        expect(await store.searchRanked({ ...query, vector })).toHaveLength(exact.length);
      }
    });

    it('came from the index', async () => {
      // A session tells its statistics up to ten seconds late.
      await pollUntil('scans of the index', 20_000, async () => {
        const { scans } = await stores.queryOne<{ scans: string }>(
          `select idx_scan as scans from pg_stat_user_indexes where indexrelname = 'embeddings_vector_idx'`,
        );
        return Number(scans) > 2 * RUNS.numRuns || undefined;
      });
    });
  },
);

describe('statements of a search', () => {
  let stores: ServerStores;

  beforeEach(async () => {
    stores = await ServerStores.create();
  });

  afterEach(() => stores.close());

  it('are told apart, however many keys their filters have', async () => {
    const { store } = await stores.open({ dimensions: DIMENSIONS, maxConnections: 1 });
    await store.storeBatch([...embeddings(200, { dimensions: DIMENSIONS, entityOf })]);
    const [vector] = QUERIES as [Float32Array];
    const three = { entityIds: ENTITY_IDS, kinds: ['component', 'api'], namespaces: ['most'] };
    const four = { ...three, sources: ['catalog' as const] };
    for (const mode of ['hybrid', 'vector', 'keyword'] as const) {
      const query = { mode, text: 'chunk', vector, topK: 100 };
      const sources = async (filter: SearchFilter) =>
        new Set(
          (await store.searchRanked({ ...query, filter })).map(
            ({ documentChunk }) => documentChunk.metadata.source,
          ),
        );
      expect(await sources(three)).toEqual(new Set(['catalog', 'techdocs']));
      expect(await sources(four)).toEqual(new Set(['catalog']));
    }
    expect(await store.search(vector, 5, three)).toHaveLength(5);
    expect(await store.search(vector, 5, four)).toHaveLength(5);
  });

  it('bring the settings of the index scan along, also after all connections broke', async () => {
    const { store, connection } = await stores.open({ dimensions: DIMENSIONS, maxConnections: 1 });
    await store.storeAll(embeddings(1_500, { dimensions: DIMENSIONS, entityOf }));
    const vector = QUERIES[0] as Float32Array;
    const search = () => store.search(vector, 300, { kinds: ['component'] });
    for (const _ of ['first', 'second']) {
      expect(await search()).toHaveLength(300);
      // In a transaction, the settings last longer than the statement.
      await connection.db.execute(sql`begin`);
      expect(await search()).toHaveLength(300);
      expect(await selectRows(connection.db, SCAN_SETTINGS)).toEqual([
        { iterative: 'relaxed_order', candidates: '300' },
      ]);
      await connection.db.execute(sql`commit`);
      expect(await selectRows(connection.db, SCAN_SETTINGS)).toEqual([
        { iterative: 'off', candidates: '40' },
      ]);
      await stores.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      );
      // A search may still get a connection of which this process does not know yet that it broke.
      await pollUntil('a search on a new connection', 20_000, () =>
        search().catch(error => {
          expect(error.name).toBe('VectorStoreUnavailableError');
          return undefined;
        }),
      );
    }
  });
});

const SCAN_SETTINGS = sql`
  select current_setting('hnsw.iterative_scan') as iterative, current_setting('hnsw.ef_search') as candidates`;
