import type { LoggerService } from '@backstage/backend-plugin-api';
import type { DatabaseConnection } from '../connection';
import {
  openPostgresConnection,
  type PostgresConnectionOptions,
  type RoleCredentials,
} from '../postgresConnection';

/** The admin takes few steps at once; loads and builds are on connections beside the pool. */
const ADMIN_CONNECTIONS = 2;

/**
 * Opens a pool for each role that the options name: `user` writes, `reader` only reads, and `admin` makes
 * and changes the tables. Who is left out is stood in for by `user`.
 */
export function openRoleConnections(
  { admin, reader, ...options }: PostgresConnectionOptions,
  logger: Pick<LoggerService, 'warn' | 'debug'>,
): DatabaseConnection {
  const writer = openPostgresConnection(options, logger);
  if (!admin && !reader) {
    return writer;
  }
  const open = (role: RoleCredentials) => {
    const connection = openPostgresConnection(loginAs(options, role), logger);
    return { ...connection, description: `${connection.description} as ${role.user}` };
  };
  const readers = reader ? open(reader) : writer;
  const admins = admin ? open({ maxConnections: ADMIN_CONNECTIONS, ...admin }) : writer;
  return {
    ...writer,
    reader: readers,
    admin: admins,
    roles: { writer: userOf(options), reader: reader?.user },
    close: async () => {
      await Promise.all([...new Set([writer, readers, admins])].map(each => each.close()));
    },
  };
}

/** The same server for another role. */
export function loginAs(
  options: PostgresConnectionOptions,
  { user, password, maxConnections = options.maxConnections }: RoleCredentials,
): PostgresConnectionOptions {
  const { connectionString } = options;
  if (connectionString === undefined) {
    return { ...options, user, password, maxConnections };
  }
  // What stands in the URL goes before what stands beside it, and what follows its "?" before the rest.
  const url = new URL(connectionString);
  url.username = '';
  url.password = '';
  url.searchParams.set('user', user);
  if (typeof password === 'string') {
    url.searchParams.set('password', password);
  }
  return { ...options, connectionString: url.href, maxConnections };
}

function userOf({ user, connectionString }: PostgresConnectionOptions): string | undefined {
  if (connectionString === undefined) {
    return user;
  }
  const url = new URL(connectionString);
  return url.searchParams.get('user') ?? (decodeURIComponent(url.username) || undefined);
}
