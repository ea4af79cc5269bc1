import type { IndexStatus, RunSummary } from 'backstage-plugin-ask-ai-common';
import type { IVectorStore } from 'backstage-plugin-ask-ai-node';
import type { Run, RunStore } from '../types';

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
  const [stats, current, latest, failures, vectorIndex] = await Promise.all([
    store.stats(),
    runs.current(),
    runs.latest(),
    runs.failures(MAX_FAILURES),
    store.vectorIndex(),
  ]);
  return {
    state: current ? 'running' : 'idle',
    ...stats,
    ...(current && { progress: describeProgress(current, now()) }),
    ...(latest && { lastRun: summarise(latest) }),
    ...(nextRun && { nextRun: nextRun.toISOString() }),
    failures,
    ...(vectorIndex && { vectorIndex }),
  };
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
