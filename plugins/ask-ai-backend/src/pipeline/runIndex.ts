import type { LoggerService } from '@backstage/backend-plugin-api';
import type { DocumentSource } from 'backstage-plugin-ask-ai-common';
import type { Collector, IVectorStore, StoredDocument } from 'backstage-plugin-ask-ai-node';
import { documentName } from '../lib/documentName';
import { noProgress, type Run, type RunProgress, type RunStore } from '../types';
import { DocumentBatch, type DocumentBatchOptions } from './documentBatch';
import type { EmbeddingSpaces } from './EmbeddingSpaces';
import { removeVanished } from './removeVanished';

/** What a run works with. */
export interface RunIndexOptions
  extends Omit<DocumentBatchOptions, 'progress' | 'failed' | 'space' | 'runId' | 'signal'> {
  store: IVectorStore;
  runs: RunStore;
  collectors: Collector[];
  spaces: Pick<EmbeddingSpaces, 'claim'>;
  /** More than this share of a source's documents does not vanish in one run; 0 to 1. */
  maxVanishedRatio: number;
  logger: LoggerService;
}

/** How a run went; `reasons` is empty when every source was read to its end. */
export interface IndexResult {
  progress: RunProgress;
  reasons: string[];
}

/**
 * Makes the index equal to what the collectors find: new and changed documents are embedded,
 * unchanged ones are left alone, vanished ones removed. A document that fails is recorded and does
 * not hold up the others; a source that can't be read to its end removes nothing.
 *
 * @param onProgress - called after every document, with the counts so far.
 * @throws when the model or the store can't be used, or the signal aborts.
 */
export async function runIndex(
  run: Pick<Run, 'id' | 'entityRef'>,
  options: RunIndexOptions,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (progress: RunProgress) => void },
): Promise<IndexResult> {
  const progress = noProgress();
  const runId = run.id;
  const space = await options.spaces.claim({
    signal,
    onEmbedded: ({ chunks, tokens }) => {
      progress.chunks.embedded += chunks;
      progress.tokens += tokens;
      onProgress(progress);
    },
  });
  const known = await knownDocuments(options.store, run.entityRef);
  const isFirst = known.size === 0 && run.entityRef === undefined;
  if (isFirst) {
    await options.store.prepareForMany();
  }
  const failures = await options.runs.failures(Number.MAX_SAFE_INTEGER);
  const failed = new Set(failures.map(documentName));
  const reasons: string[] = [];
  for (const collector of options.collectors) {
    const vanished = known.get(collector.source) ?? new Map<string, StoredDocument>();
    const before = vanished.size;
    const batch = new DocumentBatch({ ...options, progress, failed, space, runId, signal });
    try {
      for await (const document of collector.collect({ entityRef: run.entityRef, signal })) {
        signal.throwIfAborted();
        const stored = vanished.get(document.entityId);
        vanished.delete(document.entityId);
        await batch.add(document, stored);
        onProgress(progress);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!isCollectorError(error)) {
        throw error;
      }
      options.logger.warn(`Could not read ${collector.source} to its end`, error);
      reasons.push(error.message);
      await batch.flush();
      continue;
    } finally {
      await batch.settled();
    }
    await batch.flush();
    onProgress(progress);
    const refusal = await removeVanished(collector.source, [...vanished.values()], {
      ...options,
      known: before,
      maxVanishedRatio: run.entityRef === undefined ? options.maxVanishedRatio : 1,
      progress,
      runId,
    });
    if (refusal !== undefined) {
      reasons.push(refusal);
    }
  }
  await removeSwitchedOff(known, { ...options, progress, runId });
  if (isFirst || progress.documents.changed + progress.documents.removed > 0) {
    await options.store.refreshStatistics();
  }
  return { progress, reasons };
}

/** Records of documents by source and entity id: a few hundred bytes each. */
async function knownDocuments(
  store: IVectorStore,
  entityRef: string | undefined,
): Promise<Map<DocumentSource, Map<string, StoredDocument>>> {
  const known = new Map<DocumentSource, Map<string, StoredDocument>>();
  for await (const document of store.documents()) {
    if (entityRef !== undefined && document.entityId !== entityRef) {
      continue;
    }
    const ofSource = known.get(document.source) ?? new Map<string, StoredDocument>();
    ofSource.set(document.entityId, document);
    known.set(document.source, ofSource);
  }
  return known;
}

/** A source that the configuration turned off leaves nothing behind. */
async function removeSwitchedOff(
  known: Map<DocumentSource, Map<string, StoredDocument>>,
  options: Pick<RunIndexOptions, 'store' | 'runs' | 'collectors' | 'logger'> & {
    progress: RunProgress;
    runId: string;
  },
): Promise<void> {
  for (const [source, documents] of known) {
    if (!options.collectors.some(collector => collector.source === source)) {
      await removeVanished(source, [...documents.values()], {
        ...options,
        known: documents.size,
        maxVanishedRatio: 1,
        progress: options.progress,
      });
    }
  }
}

/** By name: collectors of other packages have their own class. */
function isCollectorError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'CollectorError';
}
