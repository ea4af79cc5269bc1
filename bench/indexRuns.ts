import type { AuthService, LoggerService } from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import type { EmbeddingProvider, IVectorStore } from 'backstage-plugin-ask-ai-node';
import { CatalogCollector } from '../plugins/ask-ai-backend/src/collectors/CatalogCollector';
import { ReleaseStack } from '../plugins/ask-ai-backend/src/lib/releaseStack';
import { EmbeddingSpaces } from '../plugins/ask-ai-backend/src/pipeline/EmbeddingSpaces';
import { createRedactor } from '../plugins/ask-ai-backend/src/pipeline/redact';
import { runIndex } from '../plugins/ask-ai-backend/src/pipeline/runIndex';
import { ConfigService } from '../plugins/ask-ai-backend/src/services/ConfigService';
import { IndexWorker } from '../plugins/ask-ai-backend/src/services/IndexWorker';
import { VectorStoreFactory } from '../plugins/ask-ai-backend/src/services/VectorStoreFactory';
import type { Run } from '../plugins/ask-ai-backend/src/types';

/** Indexes a catalog, as often as it is asked to. */
export interface IndexRuns {
  store: IVectorStore;
  /** Asks for a run of the whole catalog and resolves once it has ended, however it did. */
  run(): Promise<Run>;
  close(): Promise<void>;
}

export interface IndexRunsOptions {
  /** Of the database with the store. */
  url: string;
  catalog: CatalogService;
  embeddingProvider: EmbeddingProvider;
  logger: LoggerService;
}

/**
 * The parts of the product that index a catalog, put together as its `createRuntime` does and with every
 * setting at its default, but for the model.
 */
export async function openIndexRuns({
  url,
  catalog,
  embeddingProvider,
  logger,
}: IndexRunsOptions): Promise<IndexRuns> {
  const vectorStore = { type: 'postgresql', postgresql: { connectionString: url } };
  const config = ConfigService.fromConfig(new ConfigReader({ askAi: { vectorStore } }));
  const releases = new ReleaseStack();
  const { store, runs } = await VectorStoreFactory.serve(config, logger);
  releases.add(() => store.close());
  const { maxVanishedRatio, redact: redaction, ...selection } = config.getIndexConfig();
  const { kinds, excludeKinds: excludedKinds, filter } = selection;
  const { redact, fingerprint: redactionFingerprint } = createRedactor(redaction);
  const collector = CatalogCollector.create({
    catalog,
    auth,
    logger,
    kinds,
    excludedKinds,
    filter,
  });
  const spaces = EmbeddingSpaces.create({
    store,
    runs,
    embeddingProvider,
    // A store that was filled by another model does not occur here.
    providerOf: async () => embeddingProvider,
    onModelChange: config.getEmbeddingConfig().onModelChange,
    logger,
  });
  const worker = IndexWorker.create({
    runs,
    logger,
    settle: () => store.refreshStatistics(),
    execute: (run, hooks) =>
      runIndex(
        run,
        {
          ...config.getChunkingConfig(),
          maxVanishedRatio,
          collectors: [collector],
          embeddingProvider,
          logger,
          redact: text => redact(text).text,
          redactionFingerprint,
          runs,
          spaces,
          store,
        },
        hooks,
      ),
  });
  releases.add(() => worker.stop());
  return {
    store,
    run: async () => {
      await worker.request({ trigger: 'manual' });
      await worker.settled();
      const last = await runs.latest();
      if (!last) {
        throw new Error('The run left no record.');
      }
      return last;
    },
    close: () => releases.releaseAll(),
  };
}

/** What a collector asks for; the catalog of a benchmark lets everybody read. */
const auth = {
  getOwnServiceCredentials: async () => ({
    $$type: '@backstage/BackstageCredentials',
    principal: { type: 'service', subject: 'plugin:ask-ai' },
  }),
} as Pick<AuthService, 'getOwnServiceCredentials'> as AuthService;
