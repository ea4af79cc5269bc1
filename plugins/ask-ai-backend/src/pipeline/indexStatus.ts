import type { IndexStatus, RunSummary } from 'backstage-plugin-ask-ai-common';
import type { IVectorStore } from 'backstage-plugin-ask-ai-node';
import type { Run, RunStore } from '../types';
import type { ReadAccess } from './authorise';

/** Failures that a status names. */
const MAX_FAILURES = 100;

/** What the index holds, does and did. */
export async function indexStatus(options: {
  store: IVectorStore;
  runs: RunStore;
  nextRun?: Date;
  now?: () => number;
}): Promise<IndexStatus> {
  const { store, runs, nextRun, now = Date.now } = options;
  const [stats, current, latest, failures, embeddingSpace, vectorIndex] = await Promise.all([
    store.stats(),
    runs.current(),
    runs.latest(),
    runs.failures(MAX_FAILURES),
    store.embeddingSpace(),
    store.vectorIndex(),
  ]);
  return {
    state: current ? 'running' : 'idle',
    ...stats,
    ...(current && { progress: describeProgress(current, now()) }),
    ...(latest && { lastRun: summarise(latest) }),
    ...(nextRun && { nextRun: nextRun.toISOString() }),
    failures,
    ...(embeddingSpace && { embeddingSpace }),
    ...(vectorIndex && { vectorIndex }),
  };
}

/**
 * A status as one caller may read it. Whoever may read only a part of the catalog is told of that part:
 * neither the size of the index nor what runs did, which would tell how much is hidden.
 */
export async function readableStatus(
  status: IndexStatus,
  access: ReadAccess,
  store: Pick<IVectorStore, 'documents'>,
): Promise<IndexStatus> {
  if (access.scope === 'all') {
    return status;
  }
  const { state, nextRun, failures, embeddingSpace } = status;
  const readable = await access.readable(failures.map(({ entityId }) => entityId));
  return {
    state,
    ...(await countReadable(access, store)),
    ...(nextRun !== undefined && { nextRun }),
    failures: failures.filter(({ entityId }) => readable.has(entityId)),
    ...(embeddingSpace && { embeddingSpace }),
  };
}

async function countReadable(
  access: ReadAccess,
  store: Pick<IVectorStore, 'documents'>,
): Promise<Pick<IndexStatus, 'vectorCount' | 'entityCount'>> {
  const readable = new Set<string>();
  for await (const page of access.pages({})) {
    for (const entityId of page) {
      readable.add(entityId);
    }
  }
  const entities = new Set<string>();
  let vectorCount = 0;
  for await (const { entityId, chunkCount } of store.documents()) {
    if (readable.has(entityId) && chunkCount > 0) {
      entities.add(entityId);
      vectorCount += chunkCount;
    }
  }
  return { vectorCount, entityCount: entities.size };
}

function describeProgress(run: Run, now: number): NonNullable<IndexStatus['progress']> {
  const { id, trigger, startedAt, documents, chunks, documentsExpected } = run;
  const seconds = Math.max(1, now - startedAt.getTime()) / 1_000;
  const documentsPerSecond = documents.seen / seconds;
  const left = documentsExpected === undefined ? undefined : documentsExpected - documents.seen;
  return {
    id,
    trigger,
    startedAt: startedAt.toISOString(),
    documents,
    chunks,
    documentsPerSecond: Math.round(documentsPerSecond * 10) / 10,
    ...(left !== undefined &&
      documentsPerSecond > 0 && {
        estimatedSecondsLeft: Math.max(0, Math.round(left / documentsPerSecond)),
      }),
  };
}

function summarise(run: Run): RunSummary {
  const { id, trigger, state, reason, startedAt, finishedAt, documents, chunks } = run;
  if (state === 'queued' || state === 'running' || !finishedAt) {
    throw new Error(`Run ${id} is ${state}, not finished.`);
  }
  return {
    id,
    trigger,
    outcome: state,
    ...(reason !== undefined && { reason }),
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    documents,
    chunks,
  };
}
