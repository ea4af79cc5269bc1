import type { Run, RunProgress } from '../types';
import type { indexRuns } from './schema';

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
