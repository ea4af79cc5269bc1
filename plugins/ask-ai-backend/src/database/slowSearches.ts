import type { LoggerService } from '@backstage/backend-plugin-api';
import type { SearchFilter, SearchMode } from 'backstage-plugin-ask-ai-common';
import { type SQL, sql } from 'drizzle-orm';
import { legSize } from '../lib/fusion';
import { type Database, selectRows } from './connection';
import { driverError } from './databaseErrors';
import type { RankedSearchSettings } from './preparedStatements';
import type { RankedSearch, SearchRanked } from './rankedSearch';
import { rankedStatement } from './rankedStatement';
import { filterCondition, onlyEntityId } from './searchFilter';
import { exactNearest, nearestFor } from './searchStatements';
import { VectorParameter } from './vectorColumn';
import type { VectorSearch } from './vectorSearch';

/** What is done about searches that take long. */
export interface SlowSearchOptions {
  /** In milliseconds; 0: nothing. */
  slowQueryMillis: number;
  /** Is called for each, whether or not it is logged. */
  onSlowSearch?(mode: SearchMode): void;
}

/** One plan a minute: a server that is slow has enough to do. */
const LOG_EVERY_MS = 60_000;

type Described = Pick<RankedSearch, 'mode' | 'topK' | 'filter'> & {
  vector?: ArrayLike<number>;
  text?: string;
};

/**
 * Logs searches that take long, with the plan that PostgreSQL makes for them: `EXPLAIN` without
 * `ANALYZE`, so that nothing is carried out once more. Of what was searched for nothing is logged: vectors,
 * questions and names are cut out of the plan.
 */
export class SlowSearches {
  private logAgainAt = 0;
  private unlogged = 0;

  constructor(
    private readonly db: Database,
    private readonly settings: () => RankedSearchSettings,
    private readonly logger: Pick<LoggerService, 'warn' | 'debug'>,
    private readonly options: SlowSearchOptions,
  ) {}

  watchVector(search: VectorSearch): VectorSearch {
    return this.options.slowQueryMillis === 0
      ? search
      : (vector, topK, filter) =>
          this.watch({ mode: 'vector', vector, topK, filter }, search(vector, topK, filter));
  }

  watchRanked(search: SearchRanked): SearchRanked {
    return this.options.slowQueryMillis === 0
      ? search
      : request => this.watch(request, search(request));
  }

  private async watch<T>(search: Described, work: Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      return await work;
    } finally {
      const tookMs = performance.now() - startedAt;
      if (tookMs >= this.options.slowQueryMillis) {
        this.note(search, tookMs);
      }
    }
  }

  private note(search: Described, tookMs: number): void {
    this.options.onSlowSearch?.(search.mode);
    const now = performance.now();
    if (now < this.logAgainAt) {
      this.unlogged += 1;
      return;
    }
    this.logAgainAt = now + LOG_EVERY_MS;
    const others = this.unlogged;
    this.unlogged = 0;
    this.log(search, tookMs, others).catch(error =>
      this.logger.debug(`A slow search could not be explained: ${driverError(error).message}`),
    );
  }

  private async log(search: Described, tookMs: number, others: number): Promise<void> {
    const { mode, topK, filter } = search;
    const statement = statementOf(this.db, this.settings(), search);
    const lines = await selectRows<{ 'QUERY PLAN': string }>(this.db, sql`explain ${statement}`);
    const plan = lines.map(line => withoutValues(line['QUERY PLAN']));
    const keys = Object.keys(filter).filter(key => filter[key as keyof SearchFilter] !== undefined);
    const figures = { mode, topK, filter: keys.join(',') || 'none', tookMs: Math.round(tookMs) };
    const before = others > 0 ? ` ${others} more were slow since the last of these messages.` : '';
    this.logger.warn(
      `Slow search: ${figures.tookMs} ms (mode ${mode}, topK ${topK}, filter ${figures.filter}).${before}\n${plan.join('\n')}`,
      { slowSearch: { ...figures, others, plan } },
    );
  }
}

function statementOf(
  db: Database,
  settings: RankedSearchSettings,
  { mode, vector, text, topK, filter }: Described,
): { getSQL(): SQL } {
  const query = vector && sql`${new VectorParameter(vector).toString()}::vector`;
  const condition = filterCondition(filter);
  if (query && text === undefined) {
    const limit = sql.raw(String(topK));
    return onlyEntityId(filter) === undefined
      ? nearestFor(db, settings, { query, limit, condition })
      : exactNearest(db, query, limit, condition);
  }
  return rankedStatement(db, {
    ...settings,
    mode,
    query,
    text: sql`${text ?? ''}`,
    legSize: sql.raw(String(legSize(topK))),
    condition,
  });
}

/** A plan repeats the values: `(vector <=> '[0.1,...]'::vector)`. */
export function withoutValues(line: string): string {
  return line.replace(/'(?:[^']|'')*'/g, '?');
}
