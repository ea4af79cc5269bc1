import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { DEFAULT_VECTOR_INDEX } from '../schema';
import type { TableState } from './indexState';
import type { VectorIndexOptions } from './types';

/** Above this, pgvector has no index of full precision (README, "HNSW"). */
const MAX_FULL_DIMENSIONS = 2_000;

/** What is wanted, completed by what the index has; in values that pgvector takes. */
export function completeDefinition(
  { dimensions, live }: Pick<TableState, 'dimensions' | 'live'>,
  wanted: Pick<VectorIndexOptions, 'm' | 'efConstruction' | 'precision'>,
): VectorIndexDefinition {
  const present = live ?? DEFAULT_VECTOR_INDEX;
  const m = wanted.m ?? present.m;
  return {
    m,
    efConstruction: Math.max(wanted.efConstruction ?? present.efConstruction, 2 * m),
    precision: dimensions > MAX_FULL_DIMENSIONS ? 'half' : (wanted.precision ?? present.precision),
  };
}

export function isSameDefinition(a: VectorIndexDefinition, b: VectorIndexDefinition): boolean {
  return a.m === b.m && a.efConstruction === b.efConstruction && a.precision === b.precision;
}
