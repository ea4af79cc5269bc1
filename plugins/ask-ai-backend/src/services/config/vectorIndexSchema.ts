import type { z } from 'zod';
import { choice, integer, ratio, section } from '../../lib/fields';
import { DEFAULTS } from './defaults';

/**
 * What a new index is built with (pgvector's own defaults). No defaults of the configuration: a key
 * that is left out keeps what the index has.
 */
const NEW_INDEX = { m: 16, efConstruction: 64 };

const settingsSchema = section({
  // The bounds of the integers are pgvector's (README, "HNSW").
  m: integer(2, 100).optional(),
  efConstruction: integer(4, 1_000).optional(),
  efSearch: integer(1, 1_000).optional(),
  precision: choice(['full', 'half']).optional(),
  // No approximate index reaches 1, and one that misses every second neighbour is of no use.
  recallTarget: ratio(0.5, 0.999).default(DEFAULTS.vectorIndex.recallTarget),
});

type Settings = z.output<typeof settingsSchema>;

/** `askAi.vectorStore.postgresql.index`. */
export const vectorIndexSchema = settingsSchema.superRefine((settings, context) => {
  // Of a value that is itself out of bounds, one sentence is enough.
  const problem = context.issues.length === 0 ? breadthProblem(settings) : undefined;
  if (problem) {
    context.addIssue({ code: 'custom', path: [problem.key], message: problem.message });
  }
});

/** CREATE INDEX fails with an ef_construction below 2 x m: better told before the store is opened. */
function breadthProblem({ m, efConstruction }: Settings) {
  const least = 2 * (m ?? NEW_INDEX.m);
  const width = efConstruction ?? NEW_INDEX.efConstruction;
  if (width >= least) {
    return undefined;
  }
  if (efConstruction === undefined) {
    return {
      key: 'm',
      message: `at most ${width / 2}, which is half of efConstruction (${width} when it is not given)`,
    };
  }
  const note = m === undefined ? ` (${NEW_INDEX.m} when it is not given)` : '';
  return { key: 'efConstruction', message: `at least ${least}, which is twice m${note}` };
}
