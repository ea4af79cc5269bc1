import type {
  DatabaseService,
  LifecycleService,
  LoggerService,
  RootLifecycleService,
} from '@backstage/backend-plugin-api';
import { type Config, ConfigReader } from '@backstage/config';
import { backstageDatabaseOptions } from '../database/backstageDatabase';
import type { PostgresConnectionOptions } from '../database/postgresConnection';
import { failure } from './exitCodes';

const PLUGIN_ID = 'ask-ai';

/** Every Backstage backend has it; this package does not depend on it. */
const MODULE = '@backstage/backend-defaults/database';

/** What is used of {@link MODULE}. */
export interface DatabaseModule {
  DatabaseManager: {
    fromConfig(
      config: Config,
      options: { rootLifecycle: RootLifecycleService },
    ): {
      forPlugin(
        pluginId: string,
        dependencies: { logger: LoggerService; lifecycle: LifecycleService },
      ): DatabaseService;
    };
  };
}

/**
 * The plugin's own database in Backstage, as a backend with this configuration finds it; `undefined`
 * when that is not PostgreSQL.
 */
export async function readBackstageDatabase(
  config: Config,
  logger: LoggerService,
  load: (name: string) => Promise<unknown> = name => import(/* @vite-ignore */ name),
): Promise<PostgresConnectionOptions | undefined> {
  const client =
    config.getOptionalString(`backend.database.plugin.${PLUGIN_ID}.client`) ??
    config.getOptionalString('backend.database.client');
  if (client !== 'pg') {
    return undefined;
  }
  const { DatabaseManager } = await loadDatabaseModule(load);
  const shutdownHooks: (() => void | Promise<void>)[] = [];
  const lifecycle: RootLifecycleService = {
    addStartupHook: () => {},
    addBeforeShutdownHook: () => {},
    addShutdownHook: hook => void shutdownHooks.push(hook),
  };
  const database = DatabaseManager.fromConfig(withoutCreation(config), {
    rootLifecycle: lifecycle,
  }).forPlugin(PLUGIN_ID, { logger, lifecycle });
  try {
    return await backstageDatabaseOptions(database);
  } finally {
    // The pool and its timer would keep the process alive.
    await (await database.getClient()).destroy();
    for (const hook of shutdownHooks) {
      await hook();
    }
  }
}

async function loadDatabaseModule(
  load: (name: string) => Promise<unknown>,
): Promise<DatabaseModule> {
  try {
    return (await load(MODULE)) as DatabaseModule;
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    if (
      !/MODULE_NOT_FOUND$/.test(code ?? '') ||
      !message?.includes('@backstage/backend-defaults')
    ) {
      throw error;
    }
    throw failure(
      'usage',
      "The store lies in Backstage's own database, and the package that finds it, @backstage/backend-defaults, is not installed here: " +
        'run this command in the backend, or give the database with --database-url or ASK_AI_DATABASE_URL.',
    );
  }
}

/** Backstage makes a database or schema that is not there; a command that looks at it must not. */
function withoutCreation(config: Config): Config {
  const database = { ensureExists: false, ensureSchemaExists: false };
  return ConfigReader.fromConfigs([
    { context: 'configuration', data: config.get() },
    {
      context: PLUGIN_ID,
      data: {
        backend: { database: { ...database, plugin: { [PLUGIN_ID]: { ensureExists: false } } } },
      },
    },
  ]);
}
