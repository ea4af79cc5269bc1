import type { Telemetry } from './lib/telemetry/Telemetry';
import type { ReadableStore } from './pipeline/authorisedStore';

/** What a caller may read, with each search in a span of its own: permission checks are within it. */
export function tracedSearches(
  telemetry: Telemetry | undefined,
  store: ReadableStore,
): ReadableStore {
  if (!telemetry) {
    return store;
  }
  return {
    get dimensions() {
      return store.dimensions;
    },
    get wasCut() {
      return store.wasCut;
    },
    searchRanked: query =>
      telemetry.trace(
        'ask_ai.search',
        { 'ask_ai.mode': query.mode, 'ask_ai.top_k': query.topK },
        () => store.searchRanked(query),
      ),
    chunks: (key, range) => store.chunks(key, range),
  };
}
