import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';

/** What the configuration says of the vector index. */
export interface VectorIndexOptions {
  /** Left out: what the index has, 16 in a new one. */
  m?: number;
  /** Left out: what the index has, 64 in a new one. */
  efConstruction?: number;
  /** Left out: as measured to reach the target, at least 150. */
  efSearch?: number;
  /** Left out: what the index has, `full` in a new one. Above 2,000 dimensions always `half`. */
  precision?: VectorIndexDefinition['precision'];
  /** Part of the 10 nearest that a search shall find, 0 to 1. Default 0.95. */
  recallTarget?: number;
  /** Rows from which on recall is measured unasked. Default 50,000; the configuration does not set it. */
  calibrateFromRows?: number;
}

/** Milliseconds of a series of calls. */
export interface LatencySummary {
  p50Ms: number;
  p95Ms: number;
}

/** The index against the exact scan, for the same sample of stored vectors. */
export interface RecallReport extends VectorIndexDefinition {
  rows: number;
  dimensions: number;
  efSearch: number;
  sampleSize: number;
  /** Part of the `neighbours` nearest that the index found, 0 to 1. */
  recall: number;
  /** 10. */
  neighbours: number;
  index: LatencySummary;
  exact: LatencySummary;
  recallTarget: number;
}

/** What a calibration found and stored for every replica. */
export interface CalibrationReport extends RecallReport {
  reachesTarget: boolean;
  /** What to rebuild with when no efSearch reaches the target. */
  tune?: Pick<VectorIndexDefinition, 'm' | 'efConstruction'>;
}

/** How PostgreSQL carries out one shape of search. */
export interface SearchPlan {
  /** `nearest`, `nearest in one entity`, ... */
  shape: string;
  /** Names of the indexes that the plan uses, each once. */
  indexes: string[];
  /** The index that the shape is made for; one of several will do. */
  expected: string[];
  usesExpected: boolean;
  usesVectorIndex: boolean;
  /** As `EXPLAIN` prints it. */
  plan: string[];
}

/** How far the building of an index is. */
export interface BuildProgress {
  /** As PostgreSQL names it: `building index: loading tuples`. */
  phase: string;
  /** 0 to 1; absent while PostgreSQL does not tell. */
  share?: number;
}

/** Options of work on the index that takes long. */
export interface BuildOptions {
  onProgress?(progress: BuildProgress): void;
  signal?: AbortSignal;
}

/** How recall is measured. */
export interface SampleOptions {
  /** Stored vectors to search for. Default 200. */
  sampleSize?: number;
  /** Exact searches stop after this time, and the sample is what was searched by then. Default 60. */
  maxSeconds?: number;
  signal?: AbortSignal;
}

/** All that can be asked about the vector index of a store, and done to it. */
export interface VectorIndexAdministration {
  /** @throws VectorStoreUnavailableError. */
  measureRecall(options?: SampleOptions): Promise<RecallReport>;
  /** Measures, and stores the smallest efSearch that reaches the target, for every replica. */
  calibrate(options?: SampleOptions): Promise<CalibrationReport>;
  /** The plans of every shape of search, for a stored vector. */
  explain(): Promise<SearchPlan[]>;
  /** Builds the index anew, concurrently, and calibrates. What is not given stays as it is. */
  rebuild(
    definition: Partial<VectorIndexDefinition>,
    options?: BuildOptions,
  ): Promise<CalibrationReport>;
  /** Rebuilds with larger values, one step after another, until the target is reached. */
  tune(options?: BuildOptions): Promise<CalibrationReport>;
}
