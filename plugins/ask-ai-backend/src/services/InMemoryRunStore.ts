import { randomUUID } from 'node:crypto';
import type { DocumentFailure, DocumentSource, RunOutcome } from 'backstage-plugin-ask-ai-common';
import { noProgress, type Run, type RunProgress, type RunRequest, type RunStore } from '../types';

/** Finished runs that are kept. */
const KEPT_RUNS = 100;

/** Runs of a store in memory: there is one process, and a restart begins anew. */
export class InMemoryRunStore implements RunStore {
  private readonly runs: Run[] = [];
  private readonly failed = new Map<string, DocumentFailure>();
  private readonly cancelled = new Set<string>();

  private constructor() {}

  static create(): InMemoryRunStore {
    return new InMemoryRunStore();
  }

  async enqueue(request: RunRequest): Promise<{ run: Run; joined: boolean }> {
    const joined = this.runs.find(
      run =>
        run.entityRef === request.entityRef &&
        (run.state === 'queued' || (run.state === 'running' && run.entityRef === undefined)) &&
        !this.cancelled.has(run.id),
    );
    if (joined) {
      return { run: copy(joined), joined: true };
    }
    const run: Run = {
      ...request,
      ...noProgress(),
      id: randomUUID(),
      state: 'queued',
      startedAt: new Date(),
    };
    this.runs.push(run);
    return { run: copy(run), joined: false };
  }

  async claim(): Promise<Run | 'busy' | 'idle'> {
    if (this.inState('running')) {
      return 'busy';
    }
    const next = this.inState('queued');
    if (!next) {
      return 'idle';
    }
    next.state = 'running';
    next.startedAt = new Date();
    return copy(next);
  }

  async heartbeat(runId: string, progress: RunProgress): Promise<'continue' | 'cancel' | 'lost'> {
    const run = this.runs.find(({ id, state }) => id === runId && state === 'running');
    if (!run) {
      return 'lost';
    }
    Object.assign(run, structuredClone(progress));
    return this.cancelled.has(runId) ? 'cancel' : 'continue';
  }

  async finish(
    runId: string,
    outcome: RunOutcome,
    progress: RunProgress,
    reason?: string,
  ): Promise<void> {
    const run = this.runs.find(({ id, state }) => id === runId && state === 'running');
    if (run) {
      Object.assign(run, structuredClone(progress), { reason });
      this.end(run, outcome);
    }
  }

  async requestCancel(): Promise<boolean> {
    const affected = this.runs.filter(({ state }) => state === 'queued' || state === 'running');
    for (const run of affected) {
      if (run.state === 'queued') {
        run.reason = 'Cancelled before it began.';
        this.end(run, 'cancelled');
      } else {
        this.cancelled.add(run.id);
      }
    }
    return affected.length > 0;
  }

  async current(): Promise<Run | undefined> {
    const run = this.inState('running');
    return run && copy(run);
  }

  async latest(): Promise<Run | undefined> {
    return newest(this.runs.filter(run => run.finishedAt));
  }

  async latestCompleted(): Promise<Run | undefined> {
    return newest(
      this.runs.filter(run => run.state === 'completed' && run.entityRef === undefined),
    );
  }

  async recordFailure(failure: DocumentFailure): Promise<void> {
    const key = failureKey(failure);
    this.failed.delete(key);
    this.failed.set(key, { ...failure });
  }

  async forgetFailure(document: { entityId: string; source: DocumentSource }): Promise<void> {
    this.failed.delete(failureKey(document));
  }

  async failures(limit: number): Promise<DocumentFailure[]> {
    return [...this.failed.values()].reverse().slice(0, limit);
  }

  private inState(state: Run['state']): Run | undefined {
    return this.runs.find(run => run.state === state);
  }

  private end(run: Run, outcome: RunOutcome): void {
    run.state = outcome;
    run.finishedAt = new Date();
    this.cancelled.delete(run.id);
    const finished = this.runs.filter(({ finishedAt }) => finishedAt);
    if (finished.length > KEPT_RUNS && finished[0]) {
      this.runs.splice(this.runs.indexOf(finished[0]), 1);
    }
  }
}

function failureKey({ entityId, source }: { entityId: string; source: string }): string {
  return `${entityId}\n${source}`;
}

function newest(finished: Run[]): Run | undefined {
  const last = finished.sort((a, b) => Number(a.finishedAt) - Number(b.finishedAt)).at(-1);
  return last && copy(last);
}

function copy(run: Run): Run {
  return structuredClone(run);
}
