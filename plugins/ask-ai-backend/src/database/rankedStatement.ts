import type { SearchMode, VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { KnownSpace } from '../lib/embeddingSpace';
import { RANK_CONSTANT } from '../lib/fusion';
import type { Database } from './connection';
import { chunkColumns } from './embeddingRows';
import { costOfReading, indexScanSettings } from './indexScanSettings';
import { keywordCtes } from './keywordLeg';
import { embeddingSpace, embeddings, halfVector } from './schema';
import { distanceTo } from './searchStatements';

/** What a ranked search is made of; its values may be parameters or placeholders. */
export interface RankedStatement {
  mode: SearchMode;
  /** Absent in mode `keyword`, where the caller may have no vector. */
  query: SQL | undefined;
  text: SQL;
  /** Hits of each leg, and of the fusion. */
  legSize: SQL;
  condition: SQL | undefined;
  precision: VectorIndexDefinition['precision'];
  dimensions: number;
  textSearchConfig: string;
  efSearch?: number;
  /** Compares with every row that matches, whatever the index; see `exactNearest`. */
  isExact?: boolean;
}

/**
 * The best chunks for a question, in one round trip: the ranks of the vector leg
 * (`embeddings_vector_idx`) and of the keyword leg (`embeddings_content_tsv_idx`) are fused.
 *
 *     with input as (select $1::vector as query, $2::text as question), keyword as (...), nearest as (...),
 *       fused as (select id, 1 / (60 + nearest.rank) + 1 / (60 + keyword.rank) as score ... limit 50)
 *     select ... from fused inner join embeddings using (id) order by score desc, chunk_id
 */
export function rankedStatement(db: Database, statement: RankedStatement) {
  const { mode, query, text, legSize } = statement;
  const condition = statement.condition ?? sql`true`;
  const useKeywords = mode !== 'vector';
  const useVector = mode !== 'keyword' && query !== undefined;
  // Named once, so that the vector is sent once.
  const input = db
    .$with('input', {})
    .as(
      sql`select ${query ? sql`${query}::vector` : sql`null::vector`} as query, ${text}::text as question`,
    );
  const hit = { id: sql<string>`id`.as('id') };
  const none = sql`select null::text as id, null::bigint as rank, null::float8 as score where false`;
  const keyword = useKeywords
    ? keywordCtes(db, { condition, limit: legSize, textSearchConfig: statement.textSearchConfig })
    : [db.$with('keyword', hit).as(none)];
  const nearest = db.$with('nearest', hit).as(useVector ? vectorLeg(statement, condition) : none);
  const fused = db.$with('fused', { ...hit, score: sql<number>`score`.as('score') }).as(sql`
    select id, ${fusedScore(useVector, useKeywords)} as score
    from nearest full join keyword using (id)
    order by score desc, id limit ${legSize}`);
  const score = sql<number>`fused.score`.mapWith(Number);
  return db
    .with(input, ...keyword, nearest, fused)
    .select({
      ...chunkColumns,
      similarity: (query ? sql<number>`1 - (${distanceTo(INPUT_QUERY)})` : sql<number>`0`)
        .mapWith(Number)
        .as('similarity'),
      score: score.as('score'),
      space: SPACE.as('space'),
    })
    .from(fused)
    .innerJoin(embeddings, eq(embeddings.id, sql`fused.id`))
    .orderBy(sql`fused.score desc`, embeddings.chunkId);
}

const INPUT_QUERY = sql`(select query from input)`;

/** What the rows are of, as of the same moment. */
const SPACE = sql<KnownSpace | null>`(
  select json_build_object('provider', provider, 'model', model, 'dimensions', dimensions)
  from ${embeddingSpace}
)`;

function fusedScore(useVector: boolean, useKeywords: boolean): SQL {
  if (useVector && useKeywords) {
    return sql.raw(
      `coalesce(1.0 / (${RANK_CONSTANT} + nearest.rank), 0) + coalesce(1.0 / (${RANK_CONSTANT} + keyword.rank), 0)`,
    );
  }
  return useVector ? sql`nearest.score` : sql`keyword.score`;
}

/**
 * Candidates of the vector leg in a store that is too small to be calibrated. Questions lie farther from the
 * passages than passages from each other: of 2,303 sections of real documentation, 2 of 118 questions missed
 * the nearest passage at 150, and none at 400, which takes a millisecond more (measured).
 */
const EF_SEARCH_OF_SMALL_STORES = 400;

/** As `searchStatements.ts` does it, with ranks. */
function vectorLeg(statement: RankedStatement, condition: SQL): SQL {
  const { legSize } = statement;
  return sql`
    select id, row_number() over (order by distance, id) as rank, 1 - distance as score
    from (${nearestRows(statement, condition)}) nearest_rows
    order by rank limit ${legSize}`;
}

function nearestRows(
  { legSize, efSearch, precision, dimensions, isExact }: RankedStatement,
  condition: SQL,
): SQL {
  const distance = distanceTo(INPUT_QUERY);
  if (isExact) {
    return sql`
      select id, (${distance}) + 0 as distance from ${embeddings}
      where ${condition} order by distance limit ${legSize}`;
  }
  const [order, count] =
    precision === 'full'
      ? [sql`distance`, legSize]
      : [
          sql`${sql.raw(halfVector(dimensions))} <=> ${INPUT_QUERY}::halfvec(${sql.raw(String(dimensions))})`,
          sql`2::bigint * ${legSize}`,
        ];
  const all = and(
    indexScanSettings(count, efSearch, EF_SEARCH_OF_SMALL_STORES),
    costOfReading(dimensions),
    condition,
  );
  return sql`
    select id, ${distance} as distance from ${embeddings}
    where ${all} order by ${order} limit ${count}`;
}
