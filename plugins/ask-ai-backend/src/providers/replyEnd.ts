import type { ModelServer } from './modelServer';
import { contentFiltered } from './serverFaults';

/** What a reader sees of a reply that ended at the limit of the model. */
export const CUT_NOTE = ' … (The answer was cut off here, at the length limit of the model.)';

/**
 * What is still to be said when a reply has ended, by the reason that the server gives.
 *
 * @throws ProviderError when the server held the reply back.
 */
export function* endOfReply(
  server: ModelServer,
  reason: string,
): Generator<string, void, undefined> {
  if (reason === 'content_filter') throw contentFiltered(server);
  if (reason === 'length') yield CUT_NOTE;
}
