import type { Telemetry } from './lib/telemetry/Telemetry';
import type { ExecuteRun } from './services/IndexWorker';

/** Index runs, each measured and in a span of its own. */
export function measuredRuns(telemetry: Telemetry | undefined, execute: ExecuteRun): ExecuteRun {
  if (!telemetry) {
    return execute;
  }
  return (run, hooks) => {
    const { trigger } = run;
    let isFailed = true;
    const work = async () => {
      const result = await execute(run, hooks);
      isFailed = result.reasons.length > 0;
      return result;
    };
    return telemetry.measure('ask_ai.index.run', { 'ask_ai.trigger': trigger }, work, seconds => {
      const ended = isFailed ? 'failed' : 'completed';
      const outcome = isFailed && hooks.signal.aborted ? 'cancelled' : ended;
      telemetry.record('ask_ai.index.run.duration', seconds, { trigger, outcome });
    });
  };
}
