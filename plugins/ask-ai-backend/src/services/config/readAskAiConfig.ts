import { ConfigurationError } from '../../errors';
import { describeProblems, type ProblemOptions } from '../../lib/problems';
import { decryptSecrets } from './decryptSecrets';
import { DEFAULTS } from './defaults';
import { askAiSchema, type CheckedAskAi, OWN_IDS, SECRET_PATHS } from './schema';
import type { AskAiConfig, VectorStoreConfig, VectorStoreType } from './types';

const PROBLEM_OPTIONS: ProblemOptions = {
  schema: askAiSchema,
  prefix: 'askAi',
  secretPaths: SECRET_PATHS,
  // Backstage leaves out a key whose environment variable is not set.
  missing: 'nothing (if it comes from an environment variable, that is not set)',
};

/** What decides besides the `askAi` block. */
export interface Surroundings {
  /** `backend.database.client`: what Backstage itself stores its data in. */
  databaseClient?: string;
  /** `backend.cache.store`: what Backstage's cache service is over. */
  cacheStore?: string;
  modules?: ModuleIds;
  /** Of encrypted texts. */
  secretKey?: string;
}

/** Ids that modules of other packages registered. */
export type ModuleIds = Partial<Record<keyof typeof OWN_IDS, readonly string[]>>;

/**
 * Checks the `askAi` block and fills in every default.
 *
 * @throws ConfigurationError with all problems at once.
 */
export function readAskAiConfig(block: unknown, surroundings: Surroundings): AskAiConfig {
  const decrypted = decryptSecrets(withoutNulls(block ?? {}), 'askAi', surroundings.secretKey);
  if (decrypted.problems.length > 0) {
    // What is still encrypted would only make more, misleading ones.
    throw new ConfigurationError(decrypted.problems);
  }
  const given = decrypted.block;
  const result = askAiSchema.safeParse(given);
  const problems = [
    ...(result.success ? [] : describeProblems(result.error.issues, given, PROBLEM_OPTIONS)),
    ...crossProblems(validParts(given)),
    ...idProblems(validParts(given), surroundings.modules ?? {}),
  ];
  if (!result.success || problems.length > 0) {
    throw new ConfigurationError(problems);
  }
  return complete(result.data, surroundings);
}

/** YAML's `key:` with nothing behind it means that the key is not given. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutNulls);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null && inner !== undefined)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}

/**
 * What can be read although something else is wrong, so that all problems are told at once. A key
 * that is not given is there with its default or `undefined`; a wrong one is missing.
 */
function validParts(given: unknown): Partial<CheckedAskAi> {
  if (typeof given !== 'object' || given === null) {
    return {};
  }
  const values = given as Record<string, unknown>;
  const parts = Object.entries(askAiSchema.shape).flatMap(([key, schema]) => {
    const result = schema.safeParse(values[key]);
    return result.success ? [[key, result.data]] : [];
  });
  return Object.fromEntries(parts) as Partial<CheckedAskAi>;
}

/** Problems between keys that are each right by themselves. */
function crossProblems(askAi: Partial<CheckedAskAi>): string[] {
  return [
    ...chunkingProblems(askAi),
    ...languageModelProblems(askAi),
    ...embeddingProblems(askAi),
    ...openaiProblems(askAi),
  ];
}

/** What is named must be there: the plugin's own, or what a module registered. */
function idProblems(askAi: Partial<CheckedAskAi>, modules: ModuleIds): string[] {
  const named = [
    ['embedding.provider', 'embeddingProviders', askAi.embedding?.provider],
    ['llm.provider', 'languageModels', askAi.llm?.provider],
    ['vectorStore.type', 'vectorStores', askAi.vectorStore?.type],
  ] as const;
  return named.flatMap(([key, kind, id]) => {
    const known = [...OWN_IDS[kind], ...(modules[kind] ?? [])];
    return id === undefined || known.includes(id)
      ? []
      : [`Expected askAi.${key} to be one of ${known.join(', ')}, got "${id}"`];
  });
}

function chunkingProblems({ chunkSize, chunkOverlap }: Partial<CheckedAskAi>): string[] {
  return chunkSize !== undefined && chunkOverlap !== undefined && chunkOverlap >= chunkSize
    ? [
        `Expected askAi.chunkOverlap to be less than askAi.chunkSize, which is ${chunkSize}, got ${chunkOverlap}`,
      ]
    : [];
}

function languageModelProblems(askAi: Partial<CheckedAskAi>): string[] {
  const { defaultModel, allowedModels, llm } = askAi;
  const problems: string[] = [];
  if (
    llm?.provider !== undefined &&
    llm.provider !== 'extractive' &&
    isNotGiven(askAi, 'defaultModel')
  ) {
    problems.push(
      `askAi.llm.provider is ${llm?.provider}, which needs a model: set askAi.defaultModel, for example "llama3.2", or set askAi.llm.provider to extractive`,
    );
  }
  if (allowedModels && isNotGiven(askAi, 'defaultModel')) {
    problems.push(
      'askAi.allowedModels is given, but no model answers when a request names none: set askAi.defaultModel to one of them',
    );
  } else if (allowedModels && defaultModel && !allowedModels.includes(defaultModel)) {
    problems.push(
      `Expected askAi.allowedModels to contain askAi.defaultModel, which is "${defaultModel}", got ${allowedModels.map(model => `"${model}"`).join(', ') || 'an empty list'}`,
    );
  }
  return problems;
}

function embeddingProblems(askAi: Partial<CheckedAskAi>): string[] {
  const { embedding } = askAi;
  return needsModel(embedding?.provider) && isNotGiven(askAi, 'embeddingModel')
    ? [
        `askAi.embedding.provider is ${embedding?.provider}, which needs a model: set askAi.embeddingModel, for example "all-minilm", or set askAi.embedding.provider to lexical`,
      ]
    : [];
}

function openaiProblems({ openai, llm, embedding }: Partial<CheckedAskAi>): string[] {
  const users = [
    ...(llm?.provider === 'openai' ? ['askAi.llm.provider'] : []),
    ...(embedding?.provider === 'openai' ? ['askAi.embedding.provider'] : []),
  ];
  return users.length > 0 && openai?.baseUrl === DEFAULTS.openaiBaseUrl && !openai.apiKey
    ? [
        `${users.join(' and ')} is openai: set askAi.openai.apiKey, or askAi.openai.baseUrl to a server that needs no key`,
      ]
    : [];
}

function needsModel(provider: string | undefined): boolean {
  return provider === 'ollama' || provider === 'openai';
}

function isNotGiven(askAi: Partial<CheckedAskAi>, key: keyof CheckedAskAi): boolean {
  return key in askAi && askAi[key] === undefined;
}

function complete(askAi: CheckedAskAi, surroundings: Surroundings): AskAiConfig {
  const { defaultModel, embeddingModel } = askAi;
  const allowedModels = askAi.allowedModels ?? (defaultModel ? [defaultModel] : []);
  const writer = askAi.llm.provider ?? (defaultModel ? 'ollama' : 'extractive');
  const embedder = askAi.embedding.provider ?? (embeddingModel ? 'ollama' : 'lexical');
  return {
    ...askAi,
    allowedModels,
    embedding: {
      ...askAi.embedding,
      provider: embedder,
      model: embedder === 'lexical' ? undefined : embeddingModel,
    },
    llm: {
      ...askAi.llm,
      provider: writer,
      defaultModel: writer === 'extractive' ? undefined : defaultModel,
      allowedModels: writer === 'extractive' ? [] : allowedModels,
    },
    index: {
      ...askAi.index,
      // Whoever lists the kinds means exactly these.
      excludeKinds:
        askAi.index.excludeKinds ?? (askAi.index.kinds ? [] : [...DEFAULTS.index.excludeKinds]),
    },
    cache: { ...askAi.cache, isShared: (surroundings.cacheStore ?? 'memory') !== 'memory' },
    vectorStore: completeStore(askAi, surroundings),
  };
}

function completeStore(askAi: CheckedAskAi, surroundings: Surroundings): VectorStoreConfig {
  const { embedded, postgresql, resilience } = askAi.vectorStore;
  const { server, ...settings } = postgresql;
  return {
    type: storeType(askAi, surroundings),
    embedded,
    resilience,
    ...settings,
    ...(server && { postgresql: { ...server, ...settings } }),
  };
}

/**
 * Where nothing says so, the index lies on the server that is described, else on the one that holds
 * Backstage's own data, else in a folder.
 */
function storeType(askAi: CheckedAskAi, { databaseClient }: Surroundings): VectorStoreType {
  const { type, postgresql } = askAi.vectorStore;
  return type ?? (postgresql.server || databaseClient === 'pg' ? 'postgresql' : 'embedded');
}
