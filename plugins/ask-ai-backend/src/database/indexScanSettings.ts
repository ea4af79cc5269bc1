import { type SQL, sql } from 'drizzle-orm';
import { embeddings, vectorIndexCalibration } from './schema';

/**
 * Candidates that an index scan keeps until it was calibrated, and at least. Of 100,000 clustered rows,
 * recall@10 was 0.981, 0.990 and 0.992 at 100 in three builds of the index, and 0.994 to 0.996 at 200,
 * where pgvector's default of 40 gives 0.963 (measured).
 */
export const DEFAULT_EF_SEARCH = 150;

/** The most that pgvector takes (README, "HNSW", "Query Options"). */
export const MAX_EF_SEARCH = 1_000;

/** What is stored for all replicas; read as a part of each search, from a table of one row. */
const calibratedEfSearch = (otherwise: number) =>
  sql`coalesce((select ${sql.identifier(vectorIndexCalibration.efSearch.name)} from ${vectorIndexCalibration}), ${sql.raw(String(otherwise))})`;

/**
 * A condition that is always true and sets, before the scan begins and until the statement ends, how
 * the vector index is scanned:
 *
 * - `hnsw.iterative_scan`: without it an index scan ends after ef_search rows, so that a filter or a
 *   LIMIT above 40 gives too few (pgvector README, "Iterative Index Scans"). Relaxed order keeps rows
 *   that a later step of the scan finds to be nearer than earlier ones, which strict order leaves out:
 *   recall@10 with a filter for a tenth of 20,000 rows 0.978 against 0.973, of 100,000 rows 0.995
 *   against 0.991 (measured). The hits must be sorted.
 * - `hnsw.ef_search`: at least as many as rows are asked for.
 *
 * PostgreSQL evaluates it once, as the One-Time Filter above the index scan. The settings travel with
 * the statement: they survive reconnects and proxies that pool transactions, at no round trip.
 *
 * @param limit - rows that are asked for.
 * @param efSearch - left out: as calibrated.
 * @param uncalibrated - what holds before the first calibration, in a store of less than 50,000 rows.
 */
export function indexScanSettings(
  limit: SQL,
  efSearch?: number,
  uncalibrated = DEFAULT_EF_SEARCH,
): SQL {
  const candidates =
    efSearch === undefined
      ? calibratedEfSearch(uncalibrated)
      : sql.raw(String(Math.trunc(efSearch)));
  const atLeastLimit = sql`least(greatest(${candidates}, ${limit}), ${sql.raw(String(MAX_EF_SEARCH))})`;
  return sql`(select set_config('hnsw.iterative_scan', 'relaxed_order', true)) is not null and (select set_config('hnsw.ef_search', (${atLeastLimit})::text, true)) is not null`;
}

/** A row with a longer vector exceeds the 8 kB of a page: PostgreSQL stores the vector apart (TOAST). */
const MAX_INLINE_DIMENSIONS = 1_950;

/**
 * A condition that is always true, and tells the planner what it takes to read a vector that is stored
 * apart. It reckons with what is left of the rows, and would compare with every vector of a store of
 * 10,000 rows: 1,500 rows of 2,500 dimensions take 130 ms, and 9 ms by the index (measured).
 *
 * The subquery is reckoned to cost 4, as do four pages in a row, for each row that is read. It is never
 * carried out, because no id is empty.
 */
export function costOfReading(dimensions: number): SQL | undefined {
  return dimensions > MAX_INLINE_DIMENSIONS
    ? sql`(${embeddings.id} <> '' or (select count(*) from generate_series(1, 300) where ${embeddings.id} = '') > 0)`
    : undefined;
}
