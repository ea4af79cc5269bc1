import type { DatabaseChecks } from '../database/checkDatabase';
import type { QuestionStore, RunStore } from '../types';

/** Runs of a store that may not be open yet; `open` throws why. */
export function lateRunStore(open: () => RunStore): RunStore {
  return {
    enqueue: async request => open().enqueue(request),
    claim: async owner => open().claim(owner),
    heartbeat: async (runId, progress) => open().heartbeat(runId, progress),
    finish: async (runId, outcome, progress, reason) =>
      open().finish(runId, outcome, progress, reason),
    requestCancel: async () => open().requestCancel(),
    current: async () => open().current(),
    latest: async () => open().latest(),
    latestCompleted: async () => open().latestCompleted(),
    recordFailure: async failure => open().recordFailure(failure),
    forgetFailure: async document => open().forgetFailure(document),
    failures: async limit => open().failures(limit),
  };
}

/** Questions of a store that may not be open yet; `open` throws why. */
export function lateQuestionStore(open: () => QuestionStore): QuestionStore {
  return {
    record: async question => open().record(question),
    rate: async (answerId, feedback) => open().rate(answerId, feedback),
    unanswered: async limit => open().unanswered(limit),
    forget: async askedBefore => open().forget(askedBefore),
  };
}

/** Checks of a database that may not be open yet. */
export function lateChecks(current: () => DatabaseChecks | undefined): DatabaseChecks {
  const late = (name: keyof DatabaseChecks) => async () => current()?.[name]();
  return {
    database: late('database'),
    extension: late('extension'),
    migrations: late('migrations'),
    roles: late('roles'),
    vectorIndex: late('vectorIndex'),
  };
}
