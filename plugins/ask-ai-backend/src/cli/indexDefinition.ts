import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';

/** `m 16, ef_construction 64, full precision`. */
export function describeDefinition({
  m,
  efConstruction,
  precision,
}: VectorIndexDefinition): string {
  return `m ${m}, ef_construction ${efConstruction}, ${precision} precision`;
}

/** Without the keys that are `undefined`, which would hide those of an object that it is laid over. */
export function onlyGiven({
  m,
  efConstruction,
  precision,
}: Partial<VectorIndexDefinition>): Partial<VectorIndexDefinition> {
  return {
    ...(m !== undefined && { m }),
    ...(efConstruction !== undefined && { efConstruction }),
    ...(precision !== undefined && { precision }),
  };
}
