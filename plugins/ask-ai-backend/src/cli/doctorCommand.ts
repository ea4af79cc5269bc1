import type { LoggerService } from '@backstage/backend-plugin-api';
import type { Config } from '@backstage/config';
import type { HealthCheck, HealthResponse } from 'backstage-plugin-ask-ai-common';
import { databaseChecks } from '../database/checkDatabase';
import type { DatabaseConnection } from '../database/connection';
import { translateDatabaseError } from '../database/databaseErrors';
import { readEmbeddingSpace } from '../database/embeddingSpace';
import { describeUnfinishedReembedding } from '../database/reembed/reembed';
import { EmbeddingSpaceMismatchError } from '../errors';
import { describeSpace } from '../lib/embeddingSpace';
import { createEmbeddingProvider, createLanguageModel } from '../models';
import { spaceOf } from '../pipeline/EmbeddingSpaces';
import { ConfigService } from '../services/ConfigService';
import { type Check, HealthService } from '../services/HealthService';
import { EXIT_CODES } from './exitCodes';
import { asJson } from './formatUnits';
import { openDatabase } from './openDatabase';
import type { StoreOptions } from './openStore';
import { readConfig, type Variables } from './readConfig';
import { storeConfig } from './storeConfig';
import type { Terminal, TextStyle } from './terminal';

/** What the doctor works with. */
export interface DoctorContext {
  variables: Variables;
  directory: string;
  logger: LoggerService;
  terminal: Terminal;
  json: boolean;
}

/** @returns the exit code. */
export async function doctorCommand(
  options: StoreOptions,
  context: DoctorContext,
): Promise<number> {
  const { variables, directory, terminal, json } = context;
  const root = await readConfig(options.config ?? [], variables, directory);
  const health = await terminal.whileWaiting('Looking', examine(root, options, context));
  terminal.print(json ? asJson(health) : formatHealth(health, terminal));
  return health.status === 'ok' ? EXIT_CODES.success : EXIT_CODES.failure;
}

async function examine(
  root: Config,
  options: StoreOptions,
  { variables, directory, logger }: DoctorContext,
): Promise<HealthResponse> {
  let connection: DatabaseConnection | undefined;
  const checks: Record<string, Check> = {};
  const configured = attempt(() => ConfigService.fromConfig(root, {}, variables));
  checks.configuration = configured.check;
  const config = configured.value;
  const databaseUrl = options.databaseUrl ?? variables.ASK_AI_DATABASE_URL;
  const store = attempt(() => storeConfig(root, databaseUrl, variables));
  if (store.value?.getVectorStoreType() === 'memory') {
    checks.database = async () =>
      'The store is kept in memory: it is lost when the backend ends. Set askAi.vectorStore.type to embedded or postgresql.';
  } else if (store.value) {
    const opened = await openDatabase(options, { variables, directory, logger }).catch(
      (error: Error) => error,
    );
    if (opened instanceof Error) {
      checks.database = () => Promise.reject(opened);
    } else {
      connection = opened;
      Object.assign(checks, databaseChecks(connection));
    }
  }
  try {
    if (config) {
      Object.assign(checks, modelChecks(config, connection));
    }
    return await HealthService.create({ checks, intervalMs: 0 }).check();
  } finally {
    await connection?.close();
  }
}

function modelChecks(
  config: ConfigService,
  connection: DatabaseConnection | undefined,
): Record<string, Check> {
  const provider = createEmbeddingProvider(config);
  // Who waits for it hears of its failure.
  provider.catch(() => {});
  const { defaultModel = '', provider: writer } = config.getLanguageModelConfig();
  return {
    embeddingModel: async hooks => (await provider).check(hooks),
    ...(connection && {
      embeddingSpace: async (hooks: { signal: AbortSignal }) => {
        const { reader, description } = connection;
        const stored = await readEmbeddingSpace(reader.db).catch((error: unknown) => {
          throw translateDatabaseError(error, 'read the embedding space', description);
        });
        const space = await spaceOf(await provider, hooks);
        const [were, are] = [stored && describeSpace(stored), describeSpace(space)];
        if (were !== undefined && were !== are) {
          throw new EmbeddingSpaceMismatchError(were, are);
        }
        return describeUnfinishedReembedding(reader.db);
      },
    }),
    ...(writer !== 'extractive' && {
      languageModel: async (hooks: { signal: AbortSignal }) => {
        const model = await createLanguageModel(config);
        await model?.check(defaultModel, hooks);
      },
    }),
  };
}

/** What it gives, and a check that says why it gives nothing. */
function attempt<T>(make: () => T): { value?: T; check: Check } {
  try {
    return { value: make(), check: async () => undefined };
  } catch (error) {
    return { check: () => Promise.reject(error) };
  }
}

const MARKS: Record<HealthCheck['status'], [mark: string, style: TextStyle]> = {
  ok: ['ok', 'green'],
  warning: ['warning', 'yellow'],
  error: ['error', 'red'],
};

function formatHealth({ checks }: HealthResponse, terminal: Terminal): string {
  return Object.entries(checks)
    .map(([name, { status, message, latencyMs }]) => {
      const [mark, style] = MARKS[status];
      const head = `${terminal.style(style, mark.padEnd(8))} ${name.padEnd(15)} ${latencyMs} ms`;
      return message ? `${head}\n         ${message.replaceAll('\n', '\n         ')}` : head;
    })
    .join('\n');
}
