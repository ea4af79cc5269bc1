import type { LoadProgress } from 'backstage-plugin-ask-ai-node';
import type { BuildProgress } from '../plugins/ask-ai-backend/src/database/vectorIndex/types';

/** Between two lines of progress, in milliseconds. */
const LINE_INTERVAL_MS = 10_000;

/** Tells a person about a long load or build, and measures how long its last build took. */
export interface BuildClock {
  onLoad(progress: LoadProgress): void;
  onBuild(progress: BuildProgress): void;
  /** Of the last index that was built; `undefined` when none was seen. */
  buildSeconds(): number | undefined;
}

/** @param tell - gets a line every ten seconds. */
export function startBuildClock(tell: (line: string) => void): BuildClock {
  let startedAt: number | undefined;
  let endedAt = 0;
  let wasBuilding = false;
  let toldAt = 0;

  const saw = (isBuilding: boolean, line: string) => {
    const now = performance.now();
    if (isBuilding) {
      startedAt = wasBuilding ? startedAt : now;
      endedAt = now;
    } else if (wasBuilding) {
      endedAt = now;
    }
    wasBuilding = isBuilding;
    if (now - toldAt >= LINE_INTERVAL_MS) {
      toldAt = now;
      tell(line);
    }
  };
  const percent = (share: number | undefined) =>
    share === undefined ? '' : ` ${Math.round(100 * share)} %`;

  return {
    onLoad: ({ phase, rowsWritten, indexed }) =>
      saw(phase === 'indexing', `${phase}: ${rowsWritten} rows${percent(indexed)}`),
    onBuild: ({ phase, share }) =>
      saw(phase.startsWith('building index'), `${phase}${percent(share)}`),
    buildSeconds: () => startedAt && (endedAt - startedAt) / 1_000,
  };
}
