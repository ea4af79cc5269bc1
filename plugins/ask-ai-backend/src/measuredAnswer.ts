import type { Telemetry } from './lib/telemetry/Telemetry';
import type { Answer, AnswerEvent } from './pipeline/answer';

/** The pieces of an answer as they come, measured from now until the last one. */
export async function* measuredAnswer(
  telemetry: Telemetry,
  pieces: AsyncGenerator<AnswerEvent, Answer, undefined>,
  signal?: AbortSignal,
): AsyncGenerator<AnswerEvent, Answer, undefined> {
  const startedAt = performance.now();
  // Whoever leaves takes no more pieces.
  let outcome = 'cancelled';
  try {
    const answer = yield* pieces;
    outcome = answer.found ? 'answered' : 'not_found';
    return answer;
  } catch (error) {
    outcome = signal?.aborted ? 'cancelled' : 'failed';
    throw error;
  } finally {
    const seconds = (performance.now() - startedAt) / 1_000;
    telemetry.record('ask_ai.answer.duration', seconds, { outcome });
  }
}
