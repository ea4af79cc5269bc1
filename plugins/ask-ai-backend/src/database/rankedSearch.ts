import type { RankedResult, SearchFilter, SearchMode } from 'backstage-plugin-ask-ai-common';
import type { EmbeddingSpace } from 'backstage-plugin-ask-ai-node';
import { and, type SQL, sql } from 'drizzle-orm';
import { assertSameSpace, type KnownSpace } from '../lib/embeddingSpace';
import { legSize } from '../lib/fusion';
import type { Database } from './connection';
import { type ChunkRow, toDocumentChunk } from './embeddingRows';
import { readEmbeddingSpace } from './embeddingSpace';
import { PreparedStatements, type RankedSearchSettings, variantOf } from './preparedStatements';
import { rankedStatement } from './rankedStatement';
import { DEFAULT_TEXT_SEARCH_CONFIG } from './schema';
import { filterKeys, filterPlaceholders } from './searchFilter';
import { LIMIT, PLAN_FOR_VALUES, QUERY } from './searchStatements';
import { VectorParameter } from './vectorColumn';

/** A ranked search after its input was checked. */
export interface RankedSearch {
  mode: SearchMode;
  text: string;
  vector?: ArrayLike<number>;
  topK: number;
  filter: SearchFilter;
  /** What the vector is of. */
  space?: EmbeddingSpace;
}

/** Finds the best chunks for a question; see `rankedStatement`. */
export type SearchRanked = (search: RankedSearch) => Promise<RankedResult[]>;

type RankedRow = ChunkRow & { similarity: number; score: number; space: KnownSpace | null };

/**
 * Ranked search by named prepared statements: one for each mode and topK, or, with a filter, one for
 * each mode and set of keys, with the limits as parameters (see `createVectorSearch`).
 *
 * Fewer rows than a leg holds may mean that the scan of the vector index has ended early: then the
 * exact order decides whether there are more.
 *
 * A search that is rejected with EmbeddingSpaceMismatchError was for vectors of another space than those
 * that the statement has seen.
 *
 * @param settings - asked for before each search.
 */
export function createRankedSearch(
  db: Database,
  settings: () => RankedSearchSettings,
): SearchRanked {
  const statements = new PreparedStatements<RankedRow>();

  const statementFor = (
    { mode, vector, topK, filter }: RankedSearch,
    { isExact }: { isExact: boolean },
  ) => {
    const keys = filterKeys(filter);
    const build = (limit: SQL) =>
      rankedStatement(db, {
        ...settings(),
        mode,
        query: vector && QUERY,
        text: sql`${sql.placeholder('text')}`,
        legSize: limit,
        condition: keys.length > 0 ? and(filterPlaceholders(keys), PLAN_FOR_VALUES) : undefined,
        isExact,
      });
    const scan = isExact ? 'exactly' : variantOf(settings());
    const words = mode === 'vector' ? '' : languageOf(settings());
    const shape = `${mode}${vector ? '' : '_without_vector'}${words}_${scan}`;
    return keys.length > 0
      ? statements.get(`${shape}_by_${keys.join('_')}`, () => build(LIMIT))
      : statements.getFor(topK, shape, () => build(sql.raw(String(legSize(topK)))));
  };

  return async search => {
    const { mode, text, vector, topK, filter } = search;
    const limit = legSize(topK);
    const query = vector && new VectorParameter(vector);
    const values = { ...filter, text, query, limit };
    let rows = await statementFor(search, { isExact: false }).execute(values);
    if (mode !== 'keyword' && rows.length < limit) {
      rows = await statementFor(search, { isExact: true }).execute(values);
    }
    if (search.space) {
      const stored = rows[0] ? rows[0].space : await readEmbeddingSpace(db);
      assertSameSpace(stored ?? search.space, search.space);
    }
    return rows
      .map(row => ({
        documentChunk: toDocumentChunk(row),
        similarity: row.similarity,
        score: row.score,
      }))
      .filter(
        ({ similarity }) =>
          !vector || filter.minSimilarity === undefined || similarity >= filter.minSimilarity,
      );
  };
}

function languageOf({ textSearchConfig }: RankedSearchSettings): string {
  return textSearchConfig === DEFAULT_TEXT_SEARCH_CONFIG ? '' : `_${textSearchConfig}`;
}
