import type { Pool } from 'pg';
import type { PgVectorStore } from '../plugins/ask-ai-backend/src/services/PgVectorStore';
import { floorHalfSearch, floorIds, floorSearch, openFloor } from './floor';
import { assertCorrect, p50 } from './measurement';
import { measureSearches } from './searches';
import { hitIds, scanSettings } from './stores';
import { type SuiteOptions, TOP_K } from './suite';

/** A filled store and queries with their exact neighbours. */
export interface IndexedStore {
  store: PgVectorStore;
  url: string;
  queries: Float32Array[];
  /** Of all queries, or of the first of them. */
  exact: string[][];
}

/** What is known of a vector index after it was measured. */
export interface IndexFigures {
  recall: number;
  bytes: number;
}

/** Reports everything about the vector index as it is now; `label` says which one it is. */
export async function measureIndex(
  { effort, report }: SuiteOptions,
  { store, url, queries, exact }: IndexedStore,
  { label, recallTarget }: { label: string; recallTarget: number },
): Promise<IndexFigures> {
  const definition = await store.vectorIndex();
  const scan = await scanSettings(store);
  const pool = openFloor(url, 1, scan);
  try {
    const search = definition?.precision === 'half' ? floorHalfSearch : floorSearch;
    const { recall, latency } = await measureSearches(effort, queries, exact, {
      floor: async query => floorIds(await search(pool, query, TOP_K)),
      ours: async query => hitIds(await store.search(query, TOP_K)),
    });
    report({
      what: `${label}: recall@10`,
      unit: 'share',
      ...recall,
      target: { atLeast: recallTarget },
    });
    const own = await store.index.measureRecall();
    report({
      what: `${label}: recall@10 of stored vectors by the store, against the line above`,
      unit: 'share',
      floor: recall.ours,
      ours: own.recall,
    });
    report(p50(`${label}: p50`, latency));
    const { floor, ours } = latency;
    report({ what: `${label}: p95`, unit: 'ms', floor: floor.p95Ms, ours: ours.p95Ms });
    for (const [name, ours] of [
      ['ef_search', scan.efSearch],
      ['m', definition?.m],
      ['ef_construction', definition?.efConstruction],
    ] as const) {
      report({ what: `${label}: ${name}`, unit: 'count', ours: ours ?? Number.NaN });
    }
    const bytes = await vectorIndexBytes(pool);
    report({ what: `${label}: size of the vector index`, unit: 'bytes', ours: bytes });
    return { recall: recall.ours, bytes };
  } finally {
    await pool.end();
  }
}

async function vectorIndexBytes(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: number; valid: boolean }>(
    `select pg_relation_size(indexrelid)::float8 as bytes, indisvalid as valid
       from pg_index
       join pg_class on pg_class.oid = indexrelid
       join pg_am on pg_am.oid = relam
      where indrelid = 'embeddings'::regclass and amname = 'hnsw'`,
  );
  const [index] = rows;
  assertCorrect(rows.length === 1, `there are ${rows.length} vector indexes instead of one`);
  assertCorrect(index?.valid === true, 'the vector index is not valid');
  return index?.bytes ?? Number.NaN;
}
