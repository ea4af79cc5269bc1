import type { DatabaseService } from '@backstage/backend-plugin-api';
import type { PostgresConnectionOptions } from './postgresConnection';

/** What Backstage's database service hands to knex. */
interface KnexConfig {
  client?: string;
  connection?:
    | ConnectionSettings
    | string
    | (() => ConnectionSettings | Promise<ConnectionSettings>);
  searchPath?: string | string[];
  /** Backstage's `backend.database.role`, which knex gives to each connection. */
  role?: string;
}

type ConnectionSettings = Pick<
  PostgresConnectionOptions,
  'host' | 'port' | 'database' | 'user' | 'password' | 'connectionString' | 'ssl' | 'stream'
>;

/**
 * The plugin's own database as `backend.database` describes it, or `undefined` when that is not
 * PostgreSQL. Where Backstage asks for the connection anew each time (rotating credentials), so do
 * we, for the password.
 */
export async function backstageDatabaseOptions(
  database: DatabaseService,
): Promise<PostgresConnectionOptions | undefined> {
  const knex = await database.getClient();
  const { client, connection, searchPath, role } = knex.client.config as KnexConfig;
  if (client !== 'pg' || connection === undefined) {
    return undefined;
  }
  const schema = Array.isArray(searchPath) ? searchPath[0] : searchPath;
  if (typeof connection === 'string') {
    return { connectionString: connection, schema, role };
  }
  if (typeof connection !== 'function') {
    return { ...pickSettings(connection), schema, role };
  }
  return {
    ...pickSettings(await connection()),
    schema,
    role,
    password: async () => resolvePassword((await connection()).password),
  };
}

async function resolvePassword(password: ConnectionSettings['password']): Promise<string> {
  return (typeof password === 'function' ? await password() : password) ?? '';
}

/** Knex adds settings of its own. */
function pickSettings(settings: ConnectionSettings): ConnectionSettings {
  const { host, port, database, user, password, connectionString, ssl, stream } = settings;
  return { host, port, database, user, password, connectionString, ssl, stream };
}
