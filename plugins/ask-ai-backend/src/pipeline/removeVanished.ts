import type { LoggerService } from '@backstage/backend-plugin-api';
import type { DocumentSource } from 'backstage-plugin-ask-ai-common';
import type { IVectorStore, StoredDocument } from 'backstage-plugin-ask-ai-node';
import type { RunProgress, RunStore } from '../types';

/** So few may vanish whatever their share: a small index must not get stuck on the ratio. */
const ALWAYS_ALLOWED = 5;

/**
 * Removes the documents of a source that its collector no longer found.
 *
 * @returns why nothing was removed, when more vanished than is believable.
 */
export async function removeVanished(
  source: DocumentSource,
  vanished: StoredDocument[],
  options: {
    store: IVectorStore;
    runs: RunStore;
    logger: LoggerService;
    /** Documents of the source in the store before the run. */
    known: number;
    maxVanishedRatio: number;
    progress: RunProgress;
    /** The run that this is a part of. */
    runId: string;
  },
): Promise<string | undefined> {
  const { known, maxVanishedRatio } = options;
  const isAll = vanished.length === known && known > 0;
  const isTooMany = vanished.length > Math.max(ALWAYS_ALLOWED, maxVanishedRatio * known);
  if (maxVanishedRatio < 1 && (isAll || isTooMany)) {
    return (
      `${vanished.length} of ${known} ${source} documents vanished at once, more than ` +
      `askAi.index.maxVanishedRatio (${maxVanishedRatio}) allows; none was removed. If they are meant to be gone, ` +
      'raise that setting for one run, or remove the index with DELETE /api/ask-ai/index.'
    );
  }
  for (const { entityId } of vanished) {
    const { removed } = await options.store.removeDocument(
      { entityId, source },
      { runId: options.runId },
    );
    await options.runs.forgetFailure({ entityId, source });
    options.progress.documents.removed += 1;
    options.progress.chunks.removed += removed;
    options.logger.debug(`Removed ${entityId} (${source}): it is no longer there`);
  }
  return undefined;
}
