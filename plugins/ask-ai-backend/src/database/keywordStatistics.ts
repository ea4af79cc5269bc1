import { sql } from 'drizzle-orm';
import type { Database } from './connection';
import { embeddings, keywordStatistics } from './schema';

/** Counts anew how many chunks hold each word. Call it in a transaction. */
export async function refreshKeywordStatistics(transaction: Database): Promise<void> {
  await transaction.delete(keywordStatistics);
  await transaction.execute(sql`
    insert into ${keywordStatistics} (lexeme, chunk_count)
    select word, ndoc from ts_stat('select content_tsv from embeddings')
    union all
    select '', count(*) from ${embeddings}`);
  await transaction.execute(sql`analyze ${embeddings}`);
}
