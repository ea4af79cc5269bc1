import { type SQL, sql } from 'drizzle-orm';
import type { Database } from './connection';
import { embeddings, keywordStatistics, quoted, takenApart, withoutPunctuation } from './schema';

/**
 * Words that together match more chunks than this are left out, the commonest first: an OR over
 * everyday words would rank half the store. On real documentation 300 find as many passages as 1,000, but
 * fewer facts of the catalog, which are told in common words; the time grows with the number.
 */
const MAX_KEYWORD_MATCHES = sql.raw('700');

/**
 * Weights of a word in the text (D), in the entity's name (B) and in the title (A), for `ts_rank`. On real
 * documentation results are flat from 0.7 to 0.9 for D; PostgreSQL's default of 0.1 lets a word of the title
 * beat every text.
 */
const WEIGHTS = sql.raw(`'{0.8, 0.8, 0.9, 1}'::float4[]`);

/**
 * The keyword leg of a ranked search, as parts of a WITH whose `input` has the `question`. A hit scores
 * the sum over the question's words of the word's inverse document frequency times its `ts_rank`, in
 * which repetitions count ever less and long texts less. The words of a row are fetched from where
 * PostgreSQL keeps long values once, not for each word of the question: two thirds of the time.
 *
 * `keyword_statistics` tells how many chunks hold a word; the row of the empty word holds how many
 * chunks there were. A word that it does not know is taken as rare.
 */
export function keywordCtes(
  db: Database,
  { condition, limit, textSearchConfig }: { condition: SQL; limit: SQL; textSearchConfig: string },
) {
  const wordsOf = (text: string) => sql.raw(`to_tsvector(${quoted(textSearchConfig)}, ${text})`);
  const words = db.$with('words', {}).as(sql`
    select lexeme, '''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''' as quoted,
      coalesce(chunk_count, 0) as chunk_count,
      coalesce((select chunk_count from ${keywordStatistics} where lexeme = ''), 0) as total
    from input, unnest(
        ${wordsOf('question')}
          || ${wordsOf(withoutPunctuation('question'))}
          || ${wordsOf(takenApart('question'))}
      ) word
      left join ${keywordStatistics} using (lexeme)`);
  const weighted = db.$with('weighted', {}).as(sql`
    select quoted, quoted::tsquery as word,
      ln(1 + (greatest(total, chunk_count) - chunk_count + 0.5) / (chunk_count + 0.5)) as idf,
      sum(chunk_count) over rarest_first as matches, row_number() over rarest_first as position
    from words window rarest_first as (order by chunk_count, lexeme)`);
  const question = db.$with('question', {}).as(sql`
    select string_agg(quoted, ' | ')::tsquery as any_word from weighted
    where matches <= ${MAX_KEYWORD_MATCHES} or position = 1`);
  const keyword = db.$with('keyword', {}).as(sql`
    select id, row_number() over (order by score desc, id) as rank, score from (
      select id, (
        select sum(idf * ts_rank(${WEIGHTS}, row_words, word, 1))
        from weighted, (select ${embeddings.contentTsv} || ''::tsvector as row_words offset 0) read_once
      ) as score
      from ${embeddings}
      where ${embeddings.contentTsv} @@ (select any_word from question) and ${condition}
      order by score desc, id limit ${limit}
    ) keyword_rows`);
  return [words, weighted, question, keyword];
}
