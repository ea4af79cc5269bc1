import type { RankedResult, SearchFilter, SearchMode } from 'backstage-plugin-ask-ai-common';
import { type SQL, sql } from 'drizzle-orm';
import { legSize } from '../lib/fusion';
import type { Database } from './connection';
import { type ChunkRow, toDocumentChunk } from './embeddingRows';
import { PreparedStatements, type VectorSearchSettings, variantOf } from './preparedStatements';
import { rankedStatement } from './rankedStatement';
import { filterKeys, filterPlaceholders } from './searchFilter';
import { LIMIT, QUERY } from './searchStatements';
import { VectorParameter } from './vectorColumn';

/** A ranked search after its input was checked. */
export interface RankedSearch {
  mode: SearchMode;
  text: string;
  vector?: ArrayLike<number>;
  topK: number;
  filter: SearchFilter;
}

/** Finds the best chunks for a question; see `rankedStatement`. */
export type SearchRanked = (search: RankedSearch) => Promise<RankedResult[]>;

type RankedRow = ChunkRow & { similarity: number; score: number };

/**
 * Ranked search by named prepared statements: one for each mode and topK, or, with a filter, one for
 * each mode and set of keys, with the limits as parameters (see `createVectorSearch`).
 *
 * @param settings - asked for before each search.
 */
export function createRankedSearch(
  db: Database,
  settings: () => VectorSearchSettings,
): SearchRanked {
  const statements = new PreparedStatements<RankedRow>();
  return async ({ mode, text, vector, topK, filter }) => {
    const keys = filterKeys(filter);
    const hasVector = vector !== undefined;
    const build = (limit: SQL) =>
      rankedStatement(db, {
        ...settings(),
        mode,
        query: hasVector ? QUERY : undefined,
        text: sql`${sql.placeholder('text')}`,
        legSize: limit,
        condition: filterPlaceholders(keys),
      });
    const shape = `${mode}${hasVector ? '' : '_without_vector'}_${variantOf(settings())}`;
    const statement =
      keys.length > 0
        ? statements.get(`${shape}_by_${keys.join('_')}`, () => build(LIMIT))
        : statements.getFor(topK, shape, () => build(sql.raw(String(legSize(topK)))));
    const rows = await statement.execute({
      ...filter,
      text,
      query: vector && new VectorParameter(vector),
      limit: legSize(topK),
    });
    return rows
      .map(row => ({
        documentChunk: toDocumentChunk(row),
        similarity: row.similarity,
        score: row.score,
      }))
      .filter(
        ({ similarity }) =>
          !hasVector || filter.minSimilarity === undefined || similarity >= filter.minSimilarity,
      );
  };
}
