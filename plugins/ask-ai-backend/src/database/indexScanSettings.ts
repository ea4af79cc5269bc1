import { type SQL, sql } from 'drizzle-orm';
import { vectorIndexCalibration } from './schema';

/**
 * Candidates that an index scan keeps until it was calibrated, and at least: 100 keeps recall@10 at
 * 0.997 on 100,000 clustered rows, where pgvector's default of 40 gives 0.963 (measured).
 */
export const DEFAULT_EF_SEARCH = 100;

/** The most that pgvector takes (README, "HNSW", "Query Options"). */
export const MAX_EF_SEARCH = 1_000;

/** What is stored for all replicas; read as a part of each search, from a table of one row. */
const CALIBRATED_EF_SEARCH = sql`coalesce((select ${sql.identifier(vectorIndexCalibration.efSearch.name)} from ${vectorIndexCalibration}), ${sql.raw(String(DEFAULT_EF_SEARCH))})`;

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
 */
export function indexScanSettings(limit: SQL, efSearch?: number): SQL {
  const candidates =
    efSearch === undefined ? CALIBRATED_EF_SEARCH : sql.raw(String(Math.trunc(efSearch)));
  const atLeastLimit = sql`least(greatest(${candidates}, ${limit}), ${sql.raw(String(MAX_EF_SEARCH))})`;
  return sql`(select set_config('hnsw.iterative_scan', 'relaxed_order', true)) is not null and (select set_config('hnsw.ef_search', (${atLeastLimit})::text, true)) is not null`;
}
