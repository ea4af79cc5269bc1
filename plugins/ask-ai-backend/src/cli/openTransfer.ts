import { existsSync } from 'node:fs';
import type { LoggerService } from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import type { IVectorStore } from 'backstage-plugin-ask-ai-node';
import { parseConnectionString } from '../database/connectionString';
import { countPendingMigrations } from '../database/migrator';
import { isEncrypted } from '../lib/encryptedText';
import {
  fileSource,
  linesSource,
  storeSource,
  type TransferSource,
} from '../pipeline/transfer/transferSource';
import type { ConfigService } from '../services/ConfigService';
import { VectorStoreFactory } from '../services/VectorStoreFactory';
import { createBackendClient } from './backendClient';
import { openExport } from './backendExport';
import { type BackendTarget, findBackend } from './backendTarget';
import { failure } from './exitCodes';
import { assertThere } from './openStore';
import { readBackstageDatabase } from './readBackstageDatabase';
import { readConfig, type Variables } from './readConfig';
import { storeConfig } from './storeConfig';
import type { StorePlace, TransferPlace } from './transferPlace';

/** What places are opened with. */
export interface TransferSurroundings {
  variables: Variables;
  directory: string;
  logger: LoggerService;
  config?: string[];
  token?: string;
  signal: AbortSignal;
}

/** Whoever opens one closes it. */
export interface OpenSource {
  source: TransferSource;
  close(): Promise<void>;
}

export interface OpenTarget {
  /** `undefined`: there is none yet, and a dry run makes none. */
  store?: IVectorStore;
  description: string;
  close(): Promise<void>;
}

const nothingToClose = async () => {};

export async function openSource(
  place: TransferPlace,
  surroundings: TransferSurroundings,
): Promise<OpenSource> {
  if (place.kind === 'file') {
    return { source: fileSource(place.file), close: nothingToClose };
  }
  if (place.kind === 'backend') {
    const { variables, directory, token, config, signal } = surroundings;
    const target = await findBackend({ url: place.url, token, config }, variables, directory);
    return { source: backendSource(target, signal), close: nothingToClose };
  }
  const { config, description } = await describePlace(place, surroundings);
  assertThere(config, surroundings.directory);
  const store = await open(config, surroundings, false);
  return { source: storeSource(store, description), close: () => store.close() };
}

/** The lines of an export call don't say what embedded them; the status of the index does. */
function backendSource(target: BackendTarget, signal: AbortSignal): TransferSource {
  const lines = linesSource(target.url, () => openExport(target, signal));
  const about = async () => {
    const [facts, status] = await Promise.all([
      lines.about(),
      createBackendClient(target).status(),
    ]);
    return { embeddings: status.vectorCount, ...facts, embeddingSpace: status.embeddingSpace };
  };
  return { ...lines, about };
}

/** @param dryRun - a store that is not there yet, or not migrated, is not made. */
export async function openTarget(
  place: StorePlace,
  surroundings: TransferSurroundings,
  { dryRun }: { dryRun: boolean },
): Promise<OpenTarget> {
  const { config, description } = await describePlace(place, surroundings);
  if (dryRun && !(await isMigrated(config, surroundings))) {
    return { description, close: nothingToClose };
  }
  const store = await open(config, surroundings, !dryRun);
  return { store, description, close: () => store.close() };
}

async function isMigrated(
  config: ConfigService,
  surroundings: TransferSurroundings,
): Promise<boolean> {
  const { embedded } = config.getVectorStoreConfig();
  if (config.getVectorStoreType() === 'embedded' && !existsSync(embedded.directory)) {
    return false;
  }
  const connection = await VectorStoreFactory.connect(
    config,
    surroundings.logger,
    await dependencies(surroundings),
  );
  try {
    return !connection || (await countPendingMigrations(connection.admin.db)) === 0;
  } finally {
    await connection?.close();
  }
}

async function open(
  config: ConfigService,
  surroundings: TransferSurroundings,
  migrate: boolean,
): Promise<IVectorStore> {
  if (config.getVectorStoreType() === 'memory') {
    throw failure(
      'usage',
      'The store in the configuration is kept in the memory of the backend: name a place, or the address of the running backend to read from.',
    );
  }
  const given = { ...(await dependencies(surroundings)), migrate };
  return VectorStoreFactory.create(config, surroundings.logger, given);
}

async function dependencies({ config = [], variables, directory, logger }: TransferSurroundings) {
  const root = await readConfig(config, variables, directory);
  return { backstageDatabase: () => readBackstageDatabase(root, logger) };
}

/** The description tells places apart, and holds no password. */
async function describePlace(
  place: StorePlace,
  { variables, directory, config: files = [] }: TransferSurroundings,
): Promise<{ config: ConfigService; description: string }> {
  const root = await readConfig(files, variables, directory);
  if (place.kind === 'embedded') {
    const vectorStore = { type: 'embedded', embedded: { directory: place.directory } };
    const config = storeConfig(new ConfigReader({ askAi: { vectorStore } }));
    return { config, description: `embedded:${place.directory}` };
  }
  const url = place.kind === 'server' ? place.url : variables.ASK_AI_DATABASE_URL;
  const config = storeConfig(root, url, variables);
  const isPlain = url !== undefined && !isEncrypted(url);
  return { config, description: isPlain ? withoutPassword(url) : 'configured' };
}

function withoutPassword(url: string): string {
  const { host = '', port = 5_432, database = '', user = '', options } = parseConnectionString(url);
  return `postgresql://${user}@${host}:${port}/${database}${options ? ` (${options})` : ''}`;
}
