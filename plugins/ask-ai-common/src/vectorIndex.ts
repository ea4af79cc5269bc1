/** How a vector index (HNSW) is built. */
export interface VectorIndexDefinition {
  /** Neighbours that a node is linked to on each layer, 2 to 100. */
  m: number;
  /** Candidates that are looked at when a node is linked, at least 2 x m, at most 1,000. */
  efConstruction: number;
  /** What the index holds of a vector: 4 bytes a number, or 2. */
  precision: 'full' | 'half';
}

/** What a search by the index finds of what an exact search finds. */
export interface MeasuredRecall {
  /** Part of the 10 nearest that the index found, 0 to 1. */
  recall: number;
  /** Stored vectors that were searched for. */
  sampleSize: number;
  /** Rows in the store at the time. */
  rows: number;
  /** ISO 8601. */
  measuredAt: string;
}

/** The state of the vector index of a store. */
export interface VectorIndexStatus extends VectorIndexDefinition {
  /** `missing` and `invalid` mean that every search compares with every vector. */
  state: 'valid' | 'building' | 'invalid' | 'missing';
  /** Candidates that a search keeps. */
  efSearch: number;
  /** The recall that is aimed at, 0 to 1. */
  recallTarget: number;
  /** Absent until it was measured once. */
  measured?: MeasuredRecall;
  /** How to build the index when no `efSearch` reaches the target. */
  tune?: Pick<VectorIndexDefinition, 'm' | 'efConstruction'>;
  /** What is wrong and what to do about it. */
  message?: string;
}
