import { sql } from 'drizzle-orm';
import type { Database } from './connection';
import { embeddings, keywordStatistics } from './schema';

/** Counts anew how many chunks hold each word. Call it in a transaction. */
export async function refreshKeywordStatistics(transaction: Database): Promise<void> {
  // Of two at once, the second would insert what it does not see yet.
  await transaction.execute(
    sql`select pg_advisory_xact_lock(hashtextextended('ask-ai keyword statistics', 0))`,
  );
  await transaction.delete(keywordStatistics);
  // ts_stat keeps its words in a tree that it never balances: 100,000 rows whose words come in order
  // take it 18 s, and others a second, against a fifth of one.
  await transaction.execute(sql`
    insert into ${keywordStatistics} (lexeme, chunk_count)
    select word, count(*)
    from ${embeddings}, unnest(tsvector_to_array(${embeddings.contentTsv})) as word
    group by word
    union all
    select '', count(*) from ${embeddings}`);
  // While an index is built concurrently, each would wait for the other: autovacuum gets to it.
  await transaction.execute(sql`analyze (skip_locked) ${embeddings}`);
}
