import { and, eq } from 'drizzle-orm';
import { RunLostError } from '../errors';
import type { Run, RunProgress } from '../types';
import type { Database } from './connection';
import { indexRuns } from './schema';

/** How far a run is, as columns. */
export function progressColumns({ documents, chunks, tokens, documentsExpected }: RunProgress) {
  return {
    documentsSeen: documents.seen,
    documentsChanged: documents.changed,
    documentsRemoved: documents.removed,
    documentsFailed: documents.failed,
    documentsExpected: documentsExpected ?? null,
    chunksEmbedded: chunks.embedded,
    chunksSkipped: chunks.skipped,
    chunksRemoved: chunks.removed,
    tokens,
  };
}

/** The one place where NULL becomes absent. */
export function fromRunRow(row: typeof indexRuns.$inferSelect): Run {
  return {
    id: row.id,
    trigger: row.trigger,
    requestedBy: row.requestedBy ?? undefined,
    entityRef: row.entityRef ?? undefined,
    state: row.state,
    reason: row.reason ?? undefined,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt ?? undefined,
    documents: {
      seen: row.documentsSeen,
      changed: row.documentsChanged,
      removed: row.documentsRemoved,
      failed: row.documentsFailed,
    },
    documentsExpected: row.documentsExpected ?? undefined,
    chunks: {
      embedded: row.chunksEmbedded,
      skipped: row.chunksSkipped,
      removed: row.chunksRemoved,
    },
    tokens: row.tokens,
  };
}

/**
 * Call it at the end of a transaction: until that is committed, nobody takes the run over.
 *
 * @throws RunLostError when somebody has.
 */
export async function assertRunIsOurs(
  transaction: Database,
  runId: string | undefined,
): Promise<void> {
  if (runId === undefined) {
    return;
  }
  const running = await transaction
    .select({ id: indexRuns.id })
    .from(indexRuns)
    .where(and(eq(indexRuns.id, runId), eq(indexRuns.state, 'running')))
    .for('share');
  if (running.length === 0) {
    throw new RunLostError();
  }
}
