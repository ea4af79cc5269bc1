import type {
  DocumentFailure,
  DocumentSource,
  RunCounts,
  RunOutcome,
  RunTrigger,
  UnansweredQuestions,
} from 'backstage-plugin-ask-ai-common';

/** What a run is asked to do. */
export interface RunRequest {
  trigger: RunTrigger;
  /** Who asked: a user's entity reference or a service's subject. */
  requestedBy?: string;
  /** Only the documents of this entity; absent for the whole catalog. */
  entityRef?: string;
}

/** The process that carries out a run. */
export interface RunOwner {
  /** Differs between two processes that have the same id in turn. */
  instanceId: string;
  hostname: string;
  pid: number;
}

/** What is counted while a run goes on. */
export interface RunProgress extends RunCounts {
  /** How many documents there will be, where that is known. */
  documentsExpected?: number;
  tokens: number;
}

/** A run, in whatever state. */
export interface Run extends RunRequest, RunProgress {
  id: string;
  state: 'queued' | 'running' | RunOutcome;
  reason?: string;
  startedAt: Date;
  finishedAt?: Date;
}

/**
 * Remembers runs, so that at most one is under way on any number of replicas, and a restart knows
 * what happened before.
 */
export interface RunStore {
  /**
   * Asks for a run. A run that waits for the same work, or a run of the whole catalog that has just
   * this work under way, is joined.
   */
  enqueue(request: RunRequest): Promise<{ run: Run; joined: boolean }>;

  /**
   * Takes the run that waits longest, unless one is under way. A run whose process was killed is
   * marked as failed first and asked for anew.
   *
   * @returns `busy` when a run is under way, `idle` when none waits.
   */
  claim(owner: RunOwner): Promise<Run | 'busy' | 'idle'>;

  /**
   * Says that the owner lives and how far it is; call it every few seconds.
   *
   * @returns `continue`; `cancel` when somebody asked for it; `lost` when the run was taken for dead,
   * so that this process must stop writing.
   */
  heartbeat(runId: string, progress: RunProgress): Promise<'continue' | 'cancel' | 'lost'>;

  finish(runId: string, outcome: RunOutcome, progress: RunProgress, reason?: string): Promise<void>;

  /** Asks the run under way, and those that wait, to stop. `false` when there is none. */
  requestCancel(): Promise<boolean>;

  /** The run under way. */
  current(): Promise<Run | undefined>;

  /** The run that finished last. */
  latest(): Promise<Run | undefined>;

  /** The run of the whole catalog that was completed last. */
  latestCompleted(): Promise<Run | undefined>;

  /** Remembers why a document could not be indexed; its next success forgets it. */
  recordFailure(failure: DocumentFailure): Promise<void>;
  forgetFailure(document: { entityId: string; source: DocumentSource }): Promise<void>;
  /** The latest first. */
  failures(limit: number): Promise<DocumentFailure[]>;
}

/** A question that was asked, without who asked it. */
export interface AskedQuestion {
  /** Of the answer: random, so that only those who got the answer know it. */
  id: string;
  model: string;
  found: boolean;
  /** Only where texts may be kept. */
  text?: string;
}

/** Remembers how questions were answered. */
export interface QuestionStore {
  record(question: AskedQuestion): Promise<void>;

  /** The last rating stands. `false` when there is no such answer. */
  rate(
    answerId: string,
    feedback: { rating: 'helpful' | 'unhelpful'; comment?: string },
  ): Promise<boolean>;

  /** Counts of all questions, and the texts of the most frequent unanswered ones, at most `limit`. */
  unanswered(limit: number): Promise<UnansweredQuestions>;

  /** Removes what was asked before. */
  forget(askedBefore: Date): Promise<void>;
}

/** A run that has done nothing yet. */
export function noProgress(): RunProgress {
  return {
    documents: { seen: 0, changed: 0, removed: 0, failed: 0 },
    chunks: { embedded: 0, skipped: 0, removed: 0 },
    tokens: 0,
  };
}
