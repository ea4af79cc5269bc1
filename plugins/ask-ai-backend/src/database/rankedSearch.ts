import type { RankedResult, SearchFilter, SearchMode } from 'backstage-plugin-ask-ai-common';
import { type SQL, sql } from 'drizzle-orm';
import { legSize, RANK_CONSTANT } from '../lib/fusion';
import { type Database, selectRows } from './connection';
import { type ChunkRow, toDocumentChunk } from './embeddingRows';
import { indexScanSettings } from './indexScanSettings';
import { embeddings, keywordStatistics } from './schema';
import { filterCondition } from './searchFilter';

/** A ranked search after its input was checked. */
export interface RankedSearch {
  mode: SearchMode;
  text: string;
  vector?: ArrayLike<number>;
  topK: number;
  filter: SearchFilter;
}

/**
 * Words that together match more chunks than this are left out, the commonest first: an OR over
 * everyday words would rank half the store.
 */
const MAX_KEYWORD_MATCHES = 1_000;

/**
 * The best chunks for a question, in one round trip: the ranks of the vector leg
 * (`embeddings_vector_idx`) and of the keyword leg (`embeddings_content_tsv_idx`) are fused.
 *
 * A keyword hit scores the sum over the question's words of the word's inverse document frequency
 * times its `ts_rank`, in which repetitions count ever less and long texts less.
 */
export async function searchRanked(db: Database, search: RankedSearch): Promise<RankedResult[]> {
  const { filter, vector } = search;
  const rows = await selectRows<Record<string, unknown> & RankedRow>(db, rankedStatement(search));
  return rows
    .map(row => ({
      documentChunk: toDocumentChunk(row),
      similarity: Number(row.similarity ?? 0),
      score: Number(row.score),
    }))
    .filter(
      hit =>
        vector === undefined ||
        filter.minSimilarity === undefined ||
        hit.similarity >= filter.minSimilarity,
    );
}

type RankedRow = ChunkRow & { similarity: number | string | null; score: number | string };

function rankedStatement({ mode, text, vector, topK, filter }: RankedSearch): SQL {
  const query = vector === undefined ? undefined : sql`${sql.param(vector, embeddings.vector)}`;
  const condition = filterCondition(filter) ?? sql`true`;
  const useVector = mode !== 'keyword' && query !== undefined;
  const useKeywords = mode !== 'vector';
  const legs = [
    useKeywords ? keywordLeg(text, condition, legSize(topK)) : sql`keyword as (${NO_HITS})`,
    useVector ? vectorLeg(query, condition, legSize(topK)) : sql`nearest as (${NO_HITS})`,
  ];
  return sql`
    with ${sql.join(legs, sql`, `)},
    fused as (
      select id, ${fusedScore(useVector, useKeywords)} as score
      from nearest full join keyword using (id)
      order by score desc, id limit ${legSize(topK)}
    )
    select e.chunk_id as "chunkId", e.entity_id as "entityId", e.entity_name as "entityName", e.content,
      e.source, e.chunk_index as "chunkIndex", e.total_chunks as "totalChunks", e.title, e.location,
      ${query ? sql`1 - (e.vector <=> ${query})` : sql`null`} as similarity, fused.score
    from fused join ${embeddings} e using (id)
    order by fused.score desc, e.chunk_id`;
}

const NO_HITS = sql`select null::text as id, null::bigint as rank, null::float8 as score where false`;

function fusedScore(useVector: boolean, useKeywords: boolean): SQL {
  if (useVector && useKeywords) {
    return sql.raw(
      `coalesce(1.0 / (${RANK_CONSTANT} + nearest.rank), 0) + coalesce(1.0 / (${RANK_CONSTANT} + keyword.rank), 0)`,
    );
  }
  return useVector ? sql`nearest.score` : sql`keyword.score`;
}

function vectorLeg(query: SQL, condition: SQL, limit: number): SQL {
  return sql`
    nearest as (
      select id, row_number() over (order by distance, id) as rank, 1 - distance as score
      from (
        select id, vector <=> ${query} as distance from ${embeddings}
        where ${indexScanSettings(limit)} and ${condition} order by distance limit ${limit}
      ) nearest_rows
    )`;
}

/**
 * Weights of a word in the text (D), in the entity's name (B) and in the title (A), for `ts_rank`. On
 * real documentation results are flat from 0.3 to 0.5 for D; PostgreSQL's default of 0.1 lets a word of
 * the title beat every text (MRR of natural questions 0.75 instead of 1.00).
 */
const WEIGHTS = sql.raw(`'{0.4, 0.4, 0.8, 1}'::float4[]`);

/**
 * `keyword_statistics` tells how many chunks hold a word; the row of the empty word holds how many
 * chunks there were. A word that it does not know is taken as rare.
 */
function keywordLeg(text: string, condition: SQL, limit: number): SQL {
  return sql`
    words as (
      select lexeme, '''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''' as quoted,
        coalesce(chunk_count, 0) as chunk_count,
        coalesce((select chunk_count from ${keywordStatistics} where lexeme = ''), 0) as total
      from unnest(
        to_tsvector('english', ${text}::text)
          || to_tsvector('english', ${withoutPunctuation(sql`${text}::text`)})
          || to_tsvector('english', ${takeApart(text)})
      ) word
        left join ${keywordStatistics} using (lexeme)
    ),
    weighted as materialized (
      select quoted, quoted::tsquery as word,
        ln(1 + (greatest(total, chunk_count) - chunk_count + 0.5) / (chunk_count + 0.5)) as idf,
        sum(chunk_count) over rarest_first as matches, row_number() over rarest_first as position
      from words window rarest_first as (order by chunk_count, lexeme)
    ),
    question as materialized (
      select string_agg(quoted, ' | ')::tsquery as any_word from weighted
      where matches <= ${MAX_KEYWORD_MATCHES} or position = 1
    ),
    keyword as (
      select id, row_number() over (order by score desc, id) as rank, score from (
        select id, (
          select sum(idf * ts_rank(${WEIGHTS}, ${embeddings.contentTsv}, word, 1)) from weighted
        ) as score
        from ${embeddings}
        where ${embeddings.contentTsv} @@ (select any_word from question) and ${condition}
        order by score desc, id limit ${limit}
      ) keyword_rows
    )`;
}

/** The same as the generated column does with identifiers. */
function takeApart(text: string): SQL {
  return withoutPunctuation(
    sql`regexp_replace(${text}::text, '([[:lower:]])([[:upper:]])', '\\1 \\2', 'g')`,
  );
}

/** `aws.ecr.maxScanFindings` must find `maxScanFindings:` in a YAML example. */
function withoutPunctuation(text: SQL): SQL {
  return sql`regexp_replace(${text}, '[^[:alnum:]]+', ' ', 'g')`;
}
