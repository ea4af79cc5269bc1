import type { AuthService, LoggerService } from '@backstage/backend-plugin-api';
import { parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import { InputError, NotFoundError } from '@backstage/errors';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import type {
  AskRequest,
  AskResponse,
  HealthResponse,
  IndexStarted,
  IndexStatus,
  RankedResult,
  RunTrigger,
  SearchRequest,
} from 'backstage-plugin-ask-ai-common';
import type { Collector, EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import { ReleaseStack } from './lib/releaseStack';
import { createEmbeddingProvider, createLanguageModel, createProviderOf } from './models';
import { answer } from './pipeline/answer';
import { EmbeddingSpaces } from './pipeline/EmbeddingSpaces';
import { indexStatus } from './pipeline/indexStatus';
import { createRedactor } from './pipeline/redact';
import { retrieve } from './pipeline/retrieve';
import { runIndex } from './pipeline/runIndex';
import type { ConfigService } from './services/ConfigService';
import { HealthService } from './services/HealthService';
import { IndexWorker } from './services/IndexWorker';
import { type VectorStoreDependencies, VectorStoreFactory } from './services/VectorStoreFactory';

/** What the runtime is made of. */
export interface RuntimeOptions extends VectorStoreDependencies {
  config: ConfigService;
  logger: LoggerService;
  catalog: CatalogService;
  auth: AuthService;
  collectors: Collector[];
}

/** Everything that can be asked of the plugin, whoever asks: HTTP, the scheduler, an action. */
export interface AskAiRuntime {
  ask(request: AskRequest, options?: { signal?: AbortSignal }): Promise<AskResponse>;
  search(request: SearchRequest, options?: { signal?: AbortSignal }): Promise<RankedResult[]>;
  /** @throws NotFoundError for an entity that the catalog does not have. */
  requestIndex(request: {
    trigger?: RunTrigger;
    entityRef?: string;
    requestedBy?: string;
  }): Promise<IndexStarted>;
  cancelIndex(): Promise<boolean>;
  clear(entityId?: string): Promise<void>;
  /** Everything that is stored, by id. */
  export(): AsyncIterable<EmbeddingVector>;
  status(): Promise<IndexStatus>;
  health(): Promise<HealthResponse>;
  /** When the schedule asks for the next run. */
  nextRun?: Date;
  /** Ends the run under way and releases everything, in reverse order. */
  close(): Promise<void>;
}

/** Composition root: the one place, besides VectorStoreFactory, that names concrete classes. */
export async function createRuntime(options: RuntimeOptions): Promise<AskAiRuntime> {
  const { config, logger, collectors } = options;
  const releases = new ReleaseStack();
  const { store, runs } = await VectorStoreFactory.open(config, logger, options);
  releases.add(() => store.close());
  const embeddingProvider = await createEmbeddingProvider(config);
  const languageModel = await createLanguageModel(config);
  const { dimensions, onModelChange } = config.getEmbeddingConfig();
  const spaces = EmbeddingSpaces.create({
    store,
    runs,
    embeddingProvider,
    dimensions,
    providerOf: space => createProviderOf(space, config),
    onModelChange,
    logger,
  });
  const { redact, fingerprint: redactionFingerprint } = createRedactor(
    config.getIndexConfig().redact,
  );
  const worker = IndexWorker.create({
    runs,
    logger,
    execute: (run, hooks) =>
      runIndex(
        run,
        {
          ...config.getChunkingConfig(),
          maxVanishedRatio: config.getIndexConfig().maxVanishedRatio,
          collectors,
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
    settle: () => store.refreshStatistics(),
  });
  releases.add(() => worker.stop());
  const healthService = HealthService.create({
    store: async () => {
      await store.stats();
    },
    embeddingSpace: async () => {
      await spaces.forQuestions();
    },
    embeddingModel: hooks => embeddingProvider.check(hooks),
    ...(languageModel && {
      languageModel: (hooks: { signal: AbortSignal }) =>
        languageModel.check(config.getLanguageModelConfig().defaultModel ?? '', hooks),
    }),
  });
  const retrieval = { store, spaces };

  const runtime: AskAiRuntime = {
    ask: (request, hooks) =>
      answer(
        { ...request, topK: request.topK ?? config.getDefaultTopK(), ...hooks },
        { ...retrieval, languageModel, ...config.getLanguageModelConfig() },
      ),
    search: ({ query, topK, entityId, filter, mode, neighbours }, hooks) =>
      retrieve(
        {
          query,
          topK: topK ?? config.getDefaultTopK(),
          mode: mode ?? 'hybrid',
          filter: narrowToEntity(filter, entityId),
          neighbours,
          ...hooks,
        },
        retrieval,
      ),
    requestIndex: async ({ trigger = 'manual', entityRef, requestedBy }) => {
      if (entityRef === undefined) {
        return worker.request({ trigger, requestedBy });
      }
      const known = await assertEntityExists(entityRef, options);
      return worker.request({ trigger: 'entity', requestedBy, entityRef: known });
    },
    cancelIndex: () => worker.cancel(),
    clear: entityId => store.clear(entityId && normaliseEntityRef(entityId)),
    export: () => store.export(),
    status: () => indexStatus({ store, runs, nextRun: runtime.nextRun }),
    health: () => healthService.check(),
    close: () => releases.releaseAll(),
  };
  return runtime;
}

async function assertEntityExists(
  entityRef: string,
  { catalog, auth }: Pick<RuntimeOptions, 'catalog' | 'auth'>,
): Promise<string> {
  const normalised = normaliseEntityRef(entityRef);
  const credentials = await auth.getOwnServiceCredentials();
  if (!(await catalog.getEntityByRef(normalised, { credentials }))) {
    throw new NotFoundError(`The catalog has no entity ${normalised}`);
  }
  return normalised;
}

/** `Component:Petstore` and `component:default/petstore` name the same entity. */
function normaliseEntityRef(entityRef: string): string {
  try {
    return stringifyEntityRef(parseEntityRef(entityRef)).toLocaleLowerCase('en-US');
  } catch {
    throw new InputError(
      `Expected an entity reference such as component:default/petstore, got ${JSON.stringify(entityRef)}`,
    );
  }
}

function narrowToEntity(
  filter: SearchRequest['filter'],
  entityId: string | undefined,
): SearchRequest['filter'] {
  if (entityId === undefined) {
    return filter && { ...filter, entityIds: filter.entityIds?.map(normaliseEntityRef) };
  }
  const only = normaliseEntityRef(entityId);
  const others = filter?.entityIds?.map(normaliseEntityRef);
  return { ...filter, entityIds: !others || others.includes(only) ? [only] : [] };
}
