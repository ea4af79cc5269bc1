import type { LoggerService } from '@backstage/backend-plugin-api';
import type {
  AskRequest,
  HealthResponse,
  IndexStarted,
  IndexStatus,
  RunTrigger,
  SearchRequest,
  SearchResponse,
} from 'backstage-plugin-ask-ai-common';
import type { Collector, EmbeddingProvider, EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import type { Extensions } from './extensions';
import { healthChecks } from './healthChecks';
import { normaliseEntityRef } from './lib/entityRef';
import { ReleaseStack } from './lib/releaseStack';
import { measuredAnswer } from './measuredAnswer';
import { measuredRuns } from './measuredRuns';
import {
  cacheQuestions,
  createEmbeddingProvider,
  createLanguageModel,
  createProviderOf,
} from './models';
import { RuntimeObserver } from './observeRuntime';
import { type Answer, type AnswerEvent, answerInPieces } from './pipeline/answer';
import { READS_ALL, type ReadAccess } from './pipeline/authorise';
import { authorisedStore, exportReadable } from './pipeline/authorisedStore';
import { EmbeddingSpaces } from './pipeline/EmbeddingSpaces';
import { indexStatus, readableStatus } from './pipeline/indexStatus';
import { createRedactor } from './pipeline/redact';
import { retrieve } from './pipeline/retrieve';
import { runIndex } from './pipeline/runIndex';
import { MeasuredEmbeddingProvider } from './providers/MeasuredEmbeddingProvider';
import type { ConfigService } from './services/ConfigService';
import { HealthService } from './services/HealthService';
import { IndexWorker } from './services/IndexWorker';
import type { ResilienceFigures } from './services/ResilientVectorStore';
import { type VectorStoreDependencies, VectorStoreFactory } from './services/VectorStoreFactory';
import { tracedSearches } from './tracedSearches';
import type { QuestionStore } from './types';

/** What the runtime is made of. */
export interface RuntimeOptions extends Omit<VectorStoreDependencies, 'vectorStores'> {
  config: ConfigService;
  logger: LoggerService;
  collectors: Collector[];
  /** What modules of other packages bring; the collectors among them are in `collectors`. */
  extensions: Extensions;
}

/** For whom something is read; what that caller may not read is as if it were not there. */
export interface ReadOptions {
  access: ReadAccess;
  signal?: AbortSignal;
}

/** Everything that the plugin can do, for whoever may ask for it: `AskAiService` decides. */
export interface AskAiRuntime {
  /** The sources, the text as it is written and, as the result, the whole answer. */
  ask(request: AskRequest, options: ReadOptions): AsyncGenerator<AnswerEvent, Answer, undefined>;
  search(request: SearchRequest, options: ReadOptions): Promise<SearchResponse>;
  requestIndex(request: {
    trigger?: RunTrigger;
    /** In its normal form. */
    entityRef?: string;
    requestedBy?: string;
  }): Promise<IndexStarted>;
  cancelIndex(): Promise<boolean>;
  clear(entityId?: string): Promise<void>;
  /** What is stored, by id. */
  export(options: ReadOptions): AsyncIterable<EmbeddingVector>;
  /** Left out `access`: for the plugin itself. */
  status(options?: { access: ReadAccess }): Promise<IndexStatus>;
  /** What a probe of the last seconds found. */
  health(): Promise<HealthResponse>;
  /** Looks after itself from now on, until it is closed. */
  start(): void;
  readonly questions: QuestionStore;
  /** When the schedule asks for the next run. */
  nextRun?: Date;
  /** Resolves when the store is open, or closed: a server may be away for a while. */
  opened(): Promise<void>;
  /** Repeated calls and the state of the circuit breakers, for a store on a server. */
  resilience(): ResilienceFigures | undefined;
  /** Takes no more runs and ends the one under way. */
  stopIndexing(): Promise<void>;
  /** Ends the run under way and releases everything, in reverse order. */
  close(): Promise<void>;
}

/**
 * Composition root: the one place, besides VectorStoreFactory, that names concrete classes.
 *
 * @throws what keeps a part from being made, after everything is released.
 */
export async function createRuntime(options: RuntimeOptions): Promise<AskAiRuntime> {
  const releases = new ReleaseStack();
  try {
    return await compose(options, releases);
  } catch (error) {
    // What could not be released is less than the reason.
    await releases.releaseAll().catch(() => {});
    throw error;
  }
}

/** @param releases - gets what is to be released, in the order in which it was acquired. */
async function compose(options: RuntimeOptions, releases: ReleaseStack): Promise<AskAiRuntime> {
  const { config, logger, collectors, extensions } = options;
  const { telemetry } = options;
  // A breaker may open before there is a probe to forget.
  let forgetProbe = () => {};
  const stores = await VectorStoreFactory.serve(config, logger, {
    ...options,
    vectorStores: extensions.vectorStores,
    // What a probe found before a breaker opened or closed is out of date.
    observer: {
      ...options.observer,
      onStateChange: (...change) => {
        forgetProbe();
        options.observer?.onStateChange?.(...change);
      },
    },
  });
  const { store, runs, questions, opened, resilience } = stores;
  releases.add(() => store.close());
  const languageModel = await createLanguageModel(config, extensions);
  const { dimensions, onModelChange } = config.getEmbeddingConfig();
  const { cache } = options;
  const measured = (provider: EmbeddingProvider) =>
    telemetry ? MeasuredEmbeddingProvider.create(provider, telemetry) : provider;
  const embeddingProvider = cacheQuestions(
    measured(await createEmbeddingProvider(config, extensions)),
    config,
    { cache, dimensions },
  );
  const spaces = EmbeddingSpaces.create({
    store,
    runs,
    embeddingProvider,
    dimensions,
    providerOf: async space =>
      cacheQuestions(measured(await createProviderOf(space, config, extensions)), config, {
        cache,
        dimensions: space.dimensions,
      }),
    onModelChange,
    logger,
  });
  const { redact, fingerprint: redactionFingerprint } = createRedactor(
    config.getIndexConfig().redact,
  );
  const worker = IndexWorker.create({
    runs,
    logger,
    execute: measuredRuns(telemetry, (run, hooks) =>
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
    ),
    settle: () => store.refreshStatistics(),
  });
  releases.add(() => worker.stop());
  const { defaultModel = '' } = config.getLanguageModelConfig();
  const { enabled, isShared } = config.getCacheConfig();
  const healthService = HealthService.create({
    ...healthChecks({
      store,
      database: stores.checks,
      spaces,
      embeddingProvider,
      languageModel: languageModel && { model: languageModel, name: defaultModel },
      cache: enabled && isShared ? cache : undefined,
    }),
    intervalMs: config.getHealthCheckIntervalMs(),
    afterProbe: () => observer?.refresh() ?? Promise.resolve(),
  });
  forgetProbe = () => healthService.forget();
  const observed = { ...stores, embeddingProvider, health: healthService };
  const observer = telemetry && RuntimeObserver.create(observed, telemetry);
  releases.add(() => healthService.stop());
  releases.add(() => telemetry?.close());
  const retrievalFor = ({ access }: ReadOptions) => ({
    store: tracedSearches(telemetry, authorisedStore(store, access, config.getPermissionsConfig())),
    spaces,
  });

  const runtime: AskAiRuntime = {
    questions,
    ask: (request, options) => {
      const pieces = answerInPieces(
        {
          ...request,
          entityId: request.entityId && normaliseEntityRef(request.entityId),
          topK: request.topK ?? config.getDefaultTopK(),
          signal: options.signal,
        },
        {
          ...retrievalFor(options),
          languageModel,
          ...config.getLanguageModelConfig(),
          minSimilarity: config.getEmbeddingConfig().minSimilarity,
        },
      );
      return telemetry ? measuredAnswer(telemetry, pieces, options.signal) : pieces;
    },
    search: async ({ query, topK, entityId, filter, mode, neighbours }, options) => {
      const retrieval = retrievalFor(options);
      const request = {
        query,
        topK: topK ?? config.getDefaultTopK(),
        mode: mode ?? 'hybrid',
        filter: narrowToEntity(filter, entityId),
        neighbours,
        signal: options.signal,
      };
      const results = await retrieve(request, retrieval);
      return { results, ...(retrieval.store.wasCut && { isPartial: true }) };
    },
    requestIndex: ({ trigger = 'manual', entityRef, requestedBy }) =>
      worker.request({
        trigger: entityRef === undefined ? trigger : 'entity',
        requestedBy,
        entityRef,
      }),
    cancelIndex: () => worker.cancel(),
    clear: entityId => store.clear(entityId && normaliseEntityRef(entityId)),
    export: ({ access }) => exportReadable(store, access),
    status: async ({ access } = { access: READS_ALL }) =>
      readableStatus(await indexStatus({ store, runs, nextRun: runtime.nextRun }), access, store),
    health: () => healthService.check(),
    start: () => healthService.start(),
    opened,
    resilience,
    stopIndexing: () => worker.stop(),
    close: () => releases.releaseAll(),
  };
  return runtime;
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
