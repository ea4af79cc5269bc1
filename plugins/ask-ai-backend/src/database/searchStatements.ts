import { and, cosineDistance, type SQL, sql } from 'drizzle-orm';
import type { Database } from './connection';
import { chunkColumns } from './embeddingRows';
import { costOfReading, indexScanSettings } from './indexScanSettings';
import type { VectorSearchSettings } from './preparedStatements';
import { embeddings, halfVector } from './schema';

/**
 * The query vector as a parameter named `query`. The column encodes it, so that node-postgres sends it
 * in binary.
 */
export const QUERY = sql`${sql.param(sql.placeholder('query'), embeddings.vector)}`;

/** The number of hits as a parameter named `limit`. */
export const LIMIT = sql`${sql.placeholder('limit')}::bigint`;

/**
 * A condition that is always true, and has PostgreSQL plan a prepared statement for the values at hand,
 * which decide between two indexes. For known values the planner drops it; in the plan for any values it
 * looks like ten million pages to read, so that this plan is never taken (PostgreSQL's manual, PREPARE,
 * "Notes"). Without it the sixth search by a list of entities takes the plan for a list of ten, and
 * sorts all that matches: 38 ms against 6 ms where 9,000 of 10,000 rows match (measured).
 */
export const PLAN_FOR_VALUES = sql`(${LIMIT} is not null or (select count(*) from generate_series(1, 1000000000)) > 0)`;

/** What a search by the vector index is made of. */
export interface NearestOptions {
  query: SQL;
  limit: SQL;
  condition: SQL | undefined;
}

/** `cosineDistance` takes any SQL, but its type names only arrays and subqueries. */
export function distanceTo(query: SQL): SQL<number> {
  return cosineDistance(embeddings.vector, query as unknown as number[]) as SQL<number>;
}

/** The nearest rows by `embeddings_vector_idx`, whatever it holds. */
export function nearestFor(db: Database, settings: VectorSearchSettings, options: NearestOptions) {
  return settings.precision === 'full'
    ? nearest(db, settings, options)
    : nearestByHalf(db, settings, options);
}

/**
 * An index of full precision, which serves an ORDER BY of the bare operator only:
 *
 *     select ..., vector <=> $1 as distance from embeddings where <settings> and <condition>
 *     order by distance limit 10
 */
function nearest(
  db: Database,
  { efSearch, dimensions }: VectorSearchSettings,
  { query, limit, condition }: NearestOptions,
) {
  return db
    .select({ ...chunkColumns, distance: distanceTo(query).mapWith(Number).as('distance') })
    .from(embeddings)
    .where(and(indexScanSettings(limit, efSearch), costOfReading(dimensions), condition))
    .orderBy(sql`distance`)
    .limit(asLimit(limit));
}

/**
 * An index that holds half of each number gives twice as many candidates, which are
 * ranked by their whole vectors.
 *
 *     select * from (
 *       select ..., vector <=> $1 as distance from embeddings where <settings> and <condition>
 *       order by vector::halfvec(384) <=> $1::vector::halfvec(384) limit 20
 *     ) candidates order by distance limit 10
 */
function nearestByHalf(
  db: Database,
  { efSearch, dimensions }: VectorSearchSettings,
  { query, limit, condition }: NearestOptions,
) {
  const candidateCount = sql`2::bigint * ${limit}`;
  const halfDistance = sql`${sql.raw(halfVector(dimensions))} <=> ${query}::vector::halfvec(${sql.raw(String(dimensions))})`;
  const candidates = db
    .select({ ...chunkColumns, distance: distanceTo(query).mapWith(Number).as('distance') })
    .from(embeddings)
    .where(and(indexScanSettings(candidateCount, efSearch), costOfReading(dimensions), condition))
    .orderBy(halfDistance)
    .limit(asLimit(candidateCount))
    .as('candidates');
  return db.select().from(candidates).orderBy(candidates.distance).limit(asLimit(limit));
}

/**
 * The nearest rows by comparing with every row that matches: no index serves the order, so that the
 * planner takes the index of the condition (`embeddings_entity_id_idx`, ...) or none.
 *
 *     select ..., (vector <=> $1) + 0 as distance from embeddings where <condition>
 *     order by distance limit 10
 */
export function exactNearest(db: Database, query: SQL, limit: SQL, condition: SQL | undefined) {
  const distance = sql<number>`(${distanceTo(query)}) + 0`;
  return db
    .select({ ...chunkColumns, distance: distance.mapWith(Number).as('distance') })
    .from(embeddings)
    .where(condition)
    .orderBy(sql`distance`)
    .limit(asLimit(limit));
}

/** Drizzle takes any SQL for a limit, but its type names only numbers and placeholders. */
function asLimit(limit: SQL): number {
  return limit as unknown as number;
}
