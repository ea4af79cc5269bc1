import { randomUUID } from 'node:crypto';
import type { DocumentFailure, DocumentSource, RunOutcome } from 'backstage-plugin-ask-ai-common';
import { and, asc, desc, eq, inArray, isNotNull, type SQL, sql } from 'drizzle-orm';
import { isOwnerGone } from '../lib/owner';
import type { Run, RunOwner, RunProgress, RunRequest, RunStore } from '../types';
import type { Database, DatabaseConnection } from './connection';
import { translateDatabaseError } from './databaseErrors';
import { fromRunRow, progressColumns } from './runRows';
import { indexFailures, indexRuns } from './schema';

/**
 * A run without a heartbeat for this long, in seconds, was killed. Heartbeats come every two
 * seconds, so that a process may be held up for a while without losing its run.
 */
const DEAD_AFTER_SECONDS = 30;

/** Serialises decisions about runs of all replicas, until the end of the transaction. */
const RUN_LOCK_KEY = 0x61736b72756e; // 'askrun' in ASCII

/** Runs in the database, beside the embeddings. */
export class PgRunStore implements RunStore {
  private constructor(private readonly connection: DatabaseConnection) {}

  /** The connection stays the caller's. */
  static create(connection: DatabaseConnection): PgRunStore {
    return new PgRunStore(connection);
  }

  enqueue(request: RunRequest): Promise<{ run: Run; joined: boolean }> {
    return this.decide('ask for a run', async transaction => {
      const waiting = await transaction
        .select()
        .from(indexRuns)
        .where(inArray(indexRuns.state, ['queued', 'running']));
      const joined = waiting.find(
        row =>
          row.entityRef === (request.entityRef ?? null) &&
          (row.state === 'queued' || row.entityRef === null) &&
          !row.cancelRequested,
      );
      return joined
        ? { run: fromRunRow(joined), joined: true }
        : { run: await insertQueued(transaction, request), joined: false };
    });
  }

  claim(owner: RunOwner): Promise<Run | 'busy' | 'idle'> {
    return this.decide('take a run', async transaction => {
      const [running] = await transaction
        .select({
          id: indexRuns.id,
          owner: indexRuns.owner,
          trigger: indexRuns.trigger,
          requestedBy: indexRuns.requestedBy,
          entityRef: indexRuns.entityRef,
          isSilent: sql<boolean>`${indexRuns.heartbeatAt} < now() - make_interval(secs => ${DEAD_AFTER_SECONDS})`,
        })
        .from(indexRuns)
        .where(eq(indexRuns.state, 'running'));
      if (running) {
        if (!running.isSilent && !(running.owner && isOwnerGone(running.owner, owner))) {
          return 'busy';
        }
        await transaction
          .update(indexRuns)
          .set({
            state: 'failed',
            reason: 'The process that did the work was killed.',
            finishedAt: sql`now()`,
          })
          .where(eq(indexRuns.id, running.id));
        await insertQueued(transaction, {
          trigger: running.trigger,
          requestedBy: running.requestedBy ?? undefined,
          entityRef: running.entityRef ?? undefined,
        });
      }
      const [next] = await transaction
        .select({ id: indexRuns.id })
        .from(indexRuns)
        .where(eq(indexRuns.state, 'queued'))
        .orderBy(asc(indexRuns.requestedAt), asc(indexRuns.id))
        .limit(1);
      if (!next) {
        return 'idle';
      }
      const [claimed] = await transaction
        .update(indexRuns)
        .set({ state: 'running', owner, startedAt: sql`now()`, heartbeatAt: sql`now()` })
        .where(eq(indexRuns.id, next.id))
        .returning();
      return claimed ? fromRunRow(claimed) : 'idle';
    });
  }

  async heartbeat(runId: string, progress: RunProgress): Promise<'continue' | 'cancel' | 'lost'> {
    const [row] = await this.run('report progress', db =>
      db
        .update(indexRuns)
        .set({ ...progressColumns(progress), heartbeatAt: sql`now()` })
        .where(and(eq(indexRuns.id, runId), eq(indexRuns.state, 'running')))
        .returning({ cancelRequested: indexRuns.cancelRequested }),
    );
    if (!row) {
      return 'lost';
    }
    return row.cancelRequested ? 'cancel' : 'continue';
  }

  async finish(
    runId: string,
    outcome: RunOutcome,
    progress: RunProgress,
    reason?: string,
  ): Promise<void> {
    await this.run('finish a run', db =>
      db
        .update(indexRuns)
        .set({ ...progressColumns(progress), state: outcome, reason, finishedAt: sql`now()` })
        .where(and(eq(indexRuns.id, runId), eq(indexRuns.state, 'running'))),
    );
  }

  requestCancel(): Promise<boolean> {
    return this.decide('cancel a run', async transaction => {
      const queued = await transaction
        .update(indexRuns)
        .set({ state: 'cancelled', reason: 'Cancelled before it began.', finishedAt: sql`now()` })
        .where(eq(indexRuns.state, 'queued'))
        .returning({ id: indexRuns.id });
      const running = await transaction
        .update(indexRuns)
        .set({ cancelRequested: true })
        .where(eq(indexRuns.state, 'running'))
        .returning({ id: indexRuns.id });
      return queued.length + running.length > 0;
    });
  }

  current(): Promise<Run | undefined> {
    return this.first(eq(indexRuns.state, 'running'), desc(indexRuns.startedAt));
  }

  latest(): Promise<Run | undefined> {
    return this.first(isNotNull(indexRuns.finishedAt), desc(indexRuns.finishedAt));
  }

  latestCompleted(): Promise<Run | undefined> {
    const isWhole = sql`${indexRuns.state} = 'completed' and ${indexRuns.entityRef} is null`;
    return this.first(isWhole, desc(indexRuns.finishedAt));
  }

  async recordFailure({ entityId, source, reason }: DocumentFailure): Promise<void> {
    await this.run('record a failure', db =>
      db
        .insert(indexFailures)
        .values({ entityId, source, reason })
        .onConflictDoUpdate({
          target: [indexFailures.entityId, indexFailures.source],
          set: { reason, failedAt: sql`now()` },
        }),
    );
  }

  async forgetFailure(document: { entityId: string; source: DocumentSource }): Promise<void> {
    await this.run('forget a failure', db =>
      db
        .delete(indexFailures)
        .where(
          and(
            eq(indexFailures.entityId, document.entityId),
            eq(indexFailures.source, document.source),
          ),
        ),
    );
  }

  failures(limit: number): Promise<DocumentFailure[]> {
    return this.run('list failures', db =>
      db
        .select({
          entityId: indexFailures.entityId,
          source: indexFailures.source,
          reason: indexFailures.reason,
        })
        .from(indexFailures)
        .orderBy(desc(indexFailures.failedAt))
        .limit(limit),
    );
  }

  private async first(condition: SQL, order: SQL): Promise<Run | undefined> {
    const [row] = await this.run('read a run', db =>
      db.select().from(indexRuns).where(condition).orderBy(order).limit(1),
    );
    return row && fromRunRow(row);
  }

  private decide<T>(action: string, work: (transaction: Database) => Promise<T>): Promise<T> {
    return this.run(action, () =>
      this.connection.transaction(async transaction => {
        await transaction.execute(sql`select pg_advisory_xact_lock(${RUN_LOCK_KEY}::bigint)`);
        return work(transaction);
      }),
    );
  }

  private async run<T>(action: string, work: (db: Database) => Promise<T>): Promise<T> {
    try {
      return await work(this.connection.db);
    } catch (error) {
      throw translateDatabaseError(error, action, this.connection.description);
    }
  }
}

async function insertQueued(transaction: Database, request: RunRequest): Promise<Run> {
  const [row] = await transaction
    .insert(indexRuns)
    .values({ id: randomUUID(), state: 'queued', ...request })
    .returning();
  if (!row) {
    throw new Error('The run that was written did not come back.');
  }
  return fromRunRow(row);
}
