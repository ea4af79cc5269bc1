import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { sql } from 'drizzle-orm';
import type { Database } from '../connection';
import { DEFAULT_EF_SEARCH } from '../indexScanSettings';
import { vectorIndexCalibration } from '../schema';
import { type MeasuredSearch, measureSearch, type Sample } from './measureRecall';

export type Calibration = Omit<typeof vectorIndexCalibration.$inferSelect, 'singleton'>;

/**
 * The values of ef_search that are tried, in this order. Below the first, little time is gained; beyond
 * the last, an index with more links finds as much in less time: of 1,000,000 rows, m 16 needs more
 * than 400 candidates and 7 ms for a recall of 0.95, m 32 needs 150 and 6.7 ms (measured).
 */
const STEPS = [DEFAULT_EF_SEARCH, 200, 250, 300, 400];

/**
 * Rows that make a calibration worth its time: with fewer, the first step finds nearly everything (of
 * 20,000 clustered rows 1.000, measured).
 */
const MIN_ROWS = 50_000;

/** An index that grew by half, or was cleared and is filled again, is measured again. */
const GROWTH = 1.5;

/** More links than this only make an index larger. */
const MAX_TUNED_M = 64;

export async function readCalibration(db: Database): Promise<Calibration | undefined> {
  const [row] = await db.select().from(vectorIndexCalibration);
  return row;
}

/** For every replica: the next search that anybody begins uses it. */
export async function writeCalibration(
  db: Database,
  calibration: Omit<Calibration, 'measuredAt'>,
): Promise<void> {
  await db
    .insert(vectorIndexCalibration)
    .values(calibration)
    .onConflictDoUpdate({
      target: vectorIndexCalibration.singleton,
      set: { ...calibration, measuredAt: sql`now()` },
    });
}

export function needsCalibration(
  rows: number,
  calibration: Calibration | undefined,
  minRows = MIN_ROWS,
): boolean {
  const { rowCount } = calibration ?? { rowCount: 0 };
  return rows >= minRows && (rows >= GROWTH * rowCount || GROWTH * rows <= rowCount);
}

/**
 * The smallest ef_search of those that are tried which surely reaches the target, or the largest.
 * Surely, because a sample is a sample, and a stored vector is found more easily than a new one: of
 * 1,000,000 rows, 0.954 of the neighbours of a sample were found, but 0.926 of those of new vectors.
 *
 * @param fixed - the value that the configuration sets: then no other is tried.
 */
export async function findEfSearch(
  session: Database,
  sample: Sample,
  options: {
    precision: VectorIndexDefinition['precision'];
    dimensions: number;
    fixed: number | undefined;
    recallTarget: number;
    signal?: AbortSignal;
  },
): Promise<MeasuredSearch & { efSearch: number }> {
  const { fixed, recallTarget, signal, ...settings } = options;
  let last: (MeasuredSearch & { efSearch: number }) | undefined;
  for (const efSearch of fixed === undefined ? STEPS : [fixed]) {
    const measured = await measureSearch(session, sample, { ...settings, efSearch }, signal);
    last = { ...measured, efSearch };
    if (measured.leastRecall >= recallTarget) {
      break;
    }
  }
  if (!last) {
    throw new RangeError('No value of ef_search was tried.');
  }
  return last;
}

/** What to rebuild an index with that does not reach the target: twice of both; `undefined` at the end. */
export function largerIndex({
  m,
  efConstruction,
}: Pick<VectorIndexDefinition, 'm' | 'efConstruction'>):
  | Pick<VectorIndexDefinition, 'm' | 'efConstruction'>
  | undefined {
  return m >= MAX_TUNED_M
    ? undefined
    : { m: Math.min(2 * m, MAX_TUNED_M), efConstruction: Math.min(2 * efConstruction, 1_000) };
}
