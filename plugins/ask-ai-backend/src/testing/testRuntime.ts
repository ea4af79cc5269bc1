import { ConfigReader } from '@backstage/config';
import type { IndexStatus, RankedResult, SearchRequest } from 'backstage-plugin-ask-ai-common';
import type { Collector } from 'backstage-plugin-ask-ai-node';
import { pollUntil } from '../../../../tests/services/poll';
import { READS_ALL } from '../pipeline/authorise';
import { type AskAiRuntime, createRuntime, type RuntimeOptions } from '../runtime';
import { ConfigService } from '../services/ConfigService';

/** On a machine that is busy with other things, in milliseconds. */
const RUN_MS = 120_000;

/** A model that is small enough for tests to have thousands of vectors. */
export const TEST_MODEL = 'small';
export const TEST_MODEL_DIMENSIONS = 24;

/** What a runtime of a test works with. */
export interface TestRuntimeOptions {
  databaseUrl: string;
  /** Where a server with the model {@link TEST_MODEL} listens. */
  embeddingUrl: string;
  /** Default `ollama`. */
  protocol?: 'ollama' | 'openai';
  collectors: Collector[];
  /** Further configuration under `askAi`. */
  askAi?: Record<string, unknown>;
  logger?: RuntimeOptions['logger'];
}

/** The runtime, searched by somebody who may read everything. */
export interface TestRuntime extends Omit<AskAiRuntime, 'search'> {
  search(request: SearchRequest): Promise<RankedResult[]>;
}

/**
 * The plugin without HTTP around it: the real runtime on PostgreSQL, as a backend makes it. It also
 * works outside of vitest, in a process of its own.
 */
export async function openRuntime(options: TestRuntimeOptions): Promise<TestRuntime> {
  const runtime = await createRuntime({
    config: ConfigService.fromConfig(new ConfigReader({ askAi: configOf(options) })),
    logger: options.logger ?? silentLogger(),
    collectors: options.collectors,
    extensions: {
      embeddingProviders: new Map(),
      languageModels: new Map(),
      vectorStores: new Map(),
      collectors: [],
    },
  });
  return {
    ...runtime,
    search: async request => (await runtime.search(request, { access: READS_ALL })).results,
  };
}

function configOf({ databaseUrl, embeddingUrl, protocol = 'ollama', askAi }: TestRuntimeOptions) {
  const { embedding, ...others } = askAi ?? {};
  return {
    embeddingModel: TEST_MODEL,
    ...(protocol === 'ollama'
      ? { ollamaBaseUrl: embeddingUrl }
      : { openai: { baseUrl: `${embeddingUrl}/v1` } }),
    embedding: { provider: protocol, batchSize: 4, maxParallelCalls: 2, ...(embedding as object) },
    vectorStore: { type: 'postgresql', postgresql: { connectionString: databaseUrl } },
    ...others,
  };
}

export function silentLogger(): RuntimeOptions['logger'] {
  const logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: () => {},
    child: () => logger,
  };
  return logger;
}

/** Asks for a run of everything and resolves when it, or the run that it joined, has ended. */
export async function runToItsEnd(
  runtime: Pick<AskAiRuntime, 'requestIndex' | 'status'>,
): Promise<IndexStatus> {
  const { runId } = await runtime.requestIndex({});
  return endOfRun(runtime, runId);
}

export function endOfRun(
  runtime: Pick<AskAiRuntime, 'status'>,
  runId: string,
): Promise<IndexStatus> {
  return pollUntil(`The end of run ${runId}`, RUN_MS, async () => {
    const status = await runtime.status();
    return status.lastRun?.id === runId && status.state === 'idle' ? status : undefined;
  });
}
