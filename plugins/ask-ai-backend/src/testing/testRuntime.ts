import { ConfigReader } from '@backstage/config';
import type { IndexStatus } from 'backstage-plugin-ask-ai-common';
import type { Collector } from 'backstage-plugin-ask-ai-node';
import { pollUntil } from '../../../../tests/services/poll';
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

/**
 * The plugin without HTTP around it: the real runtime on PostgreSQL, as a backend makes it. It also
 * works outside of vitest, in a process of its own.
 */
export function openRuntime(options: TestRuntimeOptions): Promise<AskAiRuntime> {
  return createRuntime({
    config: ConfigService.fromConfig(new ConfigReader({ askAi: configOf(options) })),
    logger: options.logger ?? silentLogger(),
    // Only runs of one entity ask the catalog.
    catalog: {} as RuntimeOptions['catalog'],
    auth: {} as RuntimeOptions['auth'],
    collectors: options.collectors,
  });
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
