import { sql } from 'drizzle-orm';
import { type Database, selectRows } from '../connection';
import { countChunks } from '../counts';
import { liveTableOid } from '../liveTable';
import type { VectorSearchSettings } from '../preparedStatements';
import { exactNearest, QUERY } from '../searchStatements';
import { decodeVector, VectorParameter } from '../vectorColumn';
import { createVectorSearch } from '../vectorSearch';
import type { LatencySummary, SampleOptions } from './types';

/** Recall is measured of the 10 nearest, as benchmarks of vector indexes do. */
export const NEIGHBOURS = 10;

const DEFAULT_SAMPLE_SIZE = 200;
const DEFAULT_MAX_SECONDS = 60;

/** Rounding of the driver and of 1 - (1 - x). */
const TOLERANCE = 1e-6;

/** Stored vectors, and how far away their nearest neighbours are. */
export interface Sample {
  vectors: Float32Array[];
  /** Similarity of the farthest of the nearest neighbours, for each vector. */
  thresholds: number[];
  /** How many neighbours there are; fewer than 10 in a store with fewer rows. */
  neighbours: number[];
  exact: LatencySummary;
}

/** What the index finds of the nearest neighbours of a sample. */
export interface MeasuredSearch {
  /** 0 to 1. */
  recall: number;
  /** The recall, less one standard error: what the sample tells with some certainty. */
  leastRecall: number;
  latency: LatencySummary;
}

/**
 * Draws stored vectors at random and searches exactly for the nearest others, one after the other.
 *
 * @returns `undefined` when there is nothing to compare: fewer than two rows.
 */
export async function drawSample(
  session: Database,
  rows: number,
  { sampleSize = DEFAULT_SAMPLE_SIZE, maxSeconds = DEFAULT_MAX_SECONDS, signal }: SampleOptions,
): Promise<Sample | undefined> {
  const drawn = await drawVectors(session, rows, sampleSize);
  const search = exactNearest(session, QUERY, sql.raw(String(NEIGHBOURS + 1)), undefined).prepare(
    '',
  );
  const sample = {
    vectors: [] as Float32Array[],
    thresholds: [] as number[],
    neighbours: [] as number[],
  };
  const times: number[] = [];
  const endsAt = performance.now() + maxSeconds * 1_000;
  for (const vector of drawn) {
    signal?.throwIfAborted();
    const startedAt = performance.now();
    const hits = await search.execute({ query: new VectorParameter(vector) });
    times.push(performance.now() - startedAt);
    // The nearest is the vector itself.
    const others = hits.slice(1);
    const farthest = others.at(-1);
    if (farthest) {
      sample.vectors.push(vector);
      sample.thresholds.push(1 - farthest.distance);
      sample.neighbours.push(others.length);
    }
    if (performance.now() > endsAt) {
      break;
    }
  }
  return sample.vectors.length === 0 ? undefined : { ...sample, exact: summarise(times) };
}

/** Searches for the sample by the index. A hit counts when it is as near as the exact search's last. */
export async function measureSearch(
  session: Database,
  sample: Sample,
  settings: VectorSearchSettings,
  signal: AbortSignal | undefined,
): Promise<MeasuredSearch> {
  const search = createVectorSearch(session, () => settings);
  const times: number[] = [];
  const recalls: number[] = [];
  for (const [position, vector] of sample.vectors.entries()) {
    signal?.throwIfAborted();
    const startedAt = performance.now();
    const hits = await search(vector, NEIGHBOURS + 1, {});
    times.push(performance.now() - startedAt);
    const threshold = (sample.thresholds[position] as number) - TOLERANCE;
    const neighbours = sample.neighbours[position] as number;
    // The vector itself is among the near ones, and does not count; an index may have missed it.
    const near = hits.filter(({ similarity }) => similarity >= threshold).length;
    recalls.push(Math.min(neighbours, Math.max(0, near - 1)) / neighbours);
  }
  const recall = mean(recalls);
  return { recall, leastRecall: recall - standardError(recalls), latency: summarise(times) };
}

function standardError(values: number[]): number {
  const middle = mean(values);
  const variance = mean(values.map(value => (value - middle) ** 2));
  return Math.sqrt(variance / values.length);
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Nearly exact for large tables and exact for small ones, as the planner's own figure is. */
export async function estimateRows(db: Database): Promise<number> {
  const [row] = await selectRows<{ estimate: number | string }>(
    db,
    sql`select reltuples as estimate from pg_class where oid = ${liveTableOid}`,
  );
  const estimate = Number(row?.estimate ?? -1);
  if (estimate >= MANY_ROWS) {
    return estimate;
  }
  const [counted] = await selectRows<{ count: number | string }>(
    db,
    sql`select count(*) as count from (select 1 from embeddings limit ${MANY_ROWS + 1}) rows`,
  );
  const count = Number(counted?.count ?? 0);
  return count <= MANY_ROWS ? count : countChunks(db);
}

/** Counting them takes milliseconds. */
const MANY_ROWS = 100_000;

async function drawVectors(session: Database, rows: number, size: number): Promise<Float32Array[]> {
  // Three times as many as needed, so that chance hardly ever gives too few.
  const percentage = Math.min(100, (300 * size) / Math.max(rows, 1));
  const drawn = await selectRows<{ vector: Uint8Array }>(
    session,
    sql`
      select vector_send(vector) as vector
      from embeddings tablesample bernoulli (${percentage}::real)
      order by random() limit ${size}`,
  );
  return drawn.map(({ vector }) => decodeVector(vector));
}

function summarise(times: number[]): LatencySummary {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { p50Ms: at(0.5) ?? Number.NaN, p95Ms: at(0.95) ?? Number.NaN };
}
