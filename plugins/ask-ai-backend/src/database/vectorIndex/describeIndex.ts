import type { VectorIndexStatus } from 'backstage-plugin-ask-ai-common';
import { DEFAULT_EF_SEARCH } from '../indexScanSettings';
import { type Calibration, largerIndex } from './calibration';
import { completeDefinition } from './indexDefinition';
import type { TableState } from './indexState';

/** The state of the index for a person and a program, with what to do where something is wrong. */
export function describeIndex(index: {
  state: TableState;
  calibration: Calibration | undefined;
  /** As the configuration fixes it. */
  efSearch: number | undefined;
  recallTarget: number;
}): VectorIndexStatus {
  const { state, calibration, recallTarget } = index;
  const { live, isBuilding } = state;
  const definition = completeDefinition(state, {});
  const misses = calibration !== undefined && calibration.recall < recallTarget;
  const tune = misses ? largerIndex(definition) : undefined;
  const message = problemOf(index, tune);
  return {
    ...definition,
    state: isBuilding ? 'building' : live ? (live.isValid ? 'valid' : 'invalid') : 'missing',
    efSearch: index.efSearch ?? calibration?.efSearch ?? DEFAULT_EF_SEARCH,
    recallTarget,
    ...(calibration && {
      measured: {
        recall: calibration.recall,
        sampleSize: calibration.sampleSize,
        rows: calibration.rowCount,
        measuredAt: new Date(calibration.measuredAt).toISOString(),
      },
    }),
    ...(tune && { tune }),
    ...(message && { message }),
  };
}

function problemOf(
  { state, calibration, efSearch, recallTarget }: Parameters<typeof describeIndex>[0],
  tune: { m: number; efConstruction: number } | undefined,
): string | undefined {
  if (!state.live?.isValid && !state.isBuilding) {
    return 'There is no valid vector index, so every search compares with every vector. A first index run builds it at its end; otherwise run "ask-ai reindex --tune", or start the backend again.';
  }
  if (!calibration || calibration.recall >= recallTarget) {
    return undefined;
  }
  const finding = `A search finds ${calibration.recall.toFixed(3)} of the nearest, less than the target of ${recallTarget}`;
  if (efSearch !== undefined && efSearch === calibration.efSearch) {
    return `${finding}, at the configured ef_search of ${efSearch}: take askAi.vectorStore.postgresql.index.efSearch out of the configuration, and it is set as measured.`;
  }
  return tune
    ? `${finding}, and no ef_search is enough: run "ask-ai reindex --tune", which builds an index with m ${tune.m} and ef_construction ${tune.efConstruction}.`
    : `${finding}, and no larger index is known to reach it: lower askAi.vectorStore.postgresql.index.recallTarget.`;
}
