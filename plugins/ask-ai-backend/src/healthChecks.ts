import { hostname } from 'node:os';
import type { EmbeddingProvider, IVectorStore, LanguageModel } from 'backstage-plugin-ask-ai-node';
import type { DatabaseChecks } from './database/checkDatabase';
import type { SharedCache } from './lib/cache/SharedTier';
import type { EmbeddingSpaces } from './pipeline/EmbeddingSpaces';
import type { Check, HealthOptions } from './services/HealthService';

/** What is looked at. */
export interface HealthCheckSubjects {
  store: IVectorStore;
  database?: DatabaseChecks;
  spaces: Pick<EmbeddingSpaces, 'forQuestions'>;
  embeddingProvider: EmbeddingProvider;
  languageModel?: { model: LanguageModel; name: string };
  /** Where the replicas share one. */
  cache?: SharedCache;
}

/** Long enough to be read again, in milliseconds. */
const CACHE_TTL_MS = 60_000;

/** Everything that the plugin depends on, as checks that take milliseconds each. */
export function healthChecks({
  store,
  database,
  spaces,
  embeddingProvider,
  languageModel,
  cache,
}: HealthCheckSubjects): Pick<HealthOptions, 'checks' | 'optionalChecks'> {
  return {
    checks: {
      // Through the decorators, as a search goes.
      store: async () => {
        await store.embeddingSpace();
      },
      ...database,
      embeddingSpace: async () => {
        await spaces.forQuestions();
      },
      embeddingModel: hooks => embeddingProvider.check(hooks),
      ...(languageModel && {
        languageModel: (hooks: { signal: AbortSignal }) =>
          languageModel.model.check(languageModel.name, hooks),
      }),
    },
    optionalChecks: cache ? { cache: cacheCheck(cache) } : {},
  };
}

/** Backstage's cache service swallows errors: what was written must be read. */
function cacheCheck(cache: SharedCache): Check {
  const key = `health:${hostname()}:${process.pid}`;
  return async () => {
    const written = String(Date.now());
    await cache.set(key, written, { ttl: CACHE_TTL_MS });
    if ((await cache.get(key)) !== written) {
      throw new Error(
        'The cache does not give back what is written: searches go on without it. Check backend.cache and its server.',
      );
    }
  };
}
