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
  await transaction.execute(sql`
    insert into ${keywordStatistics} (lexeme, chunk_count)
    select word, ndoc from ts_stat('select content_tsv from embeddings')
    union all
    select '', count(*) from ${embeddings}`);
  // While an index is built concurrently, each would wait for the other: autovacuum gets to it.
  await transaction.execute(sql`analyze (skip_locked) ${embeddings}`);
}
