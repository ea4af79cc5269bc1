import type { TracingServiceSpan } from '@backstage/backend-plugin-api/alpha';
import type { Telemetry } from './lib/telemetry/Telemetry';
import type { IndexResult } from './pipeline/runIndex';
import type { ExecuteRun } from './services/IndexWorker';

/** Index runs, each measured and in a span of its own. */
export function measuredRuns(telemetry: Telemetry | undefined, execute: ExecuteRun): ExecuteRun {
  if (!telemetry) {
    return execute;
  }
  return (run, hooks) => {
    const { trigger } = run;
    let isFailed = true;
    const work = async (span: TracingServiceSpan) => {
      const result = await execute(run, hooks);
      isFailed = result.reasons.length > 0;
      describe(span, result);
      for (const [what, chunks] of Object.entries(result.progress.chunks)) {
        telemetry.count('ask_ai.index.chunks', { result: what }, chunks);
      }
      return result;
    };
    return telemetry.measure('ask_ai.index.run', { 'ask_ai.trigger': trigger }, work, seconds => {
      const ended = isFailed ? 'failed' : 'completed';
      const outcome = isFailed && hooks.signal.aborted ? 'cancelled' : ended;
      telemetry.record('ask_ai.index.run.duration', seconds, { trigger, outcome });
    });
  };
}

/** A run that throws has its error in the span already; one with reasons has read only a part. */
function describe(span: TracingServiceSpan, { progress, reasons }: IndexResult): void {
  for (const [what, documents] of Object.entries(progress.documents)) {
    span.setAttribute(`ask_ai.documents.${what}`, documents);
  }
  for (const [what, chunks] of Object.entries(progress.chunks)) {
    span.setAttribute(`ask_ai.chunks.${what}`, chunks);
  }
  if (reasons.length > 0) {
    span.setStatus({ code: 'error', message: reasons.join(' ') });
  }
}
