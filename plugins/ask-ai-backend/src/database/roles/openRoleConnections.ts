import type { LoggerService } from '@backstage/backend-plugin-api';
import type { DatabaseConnection } from '../connection';
import {
  DEFAULT_MAX_CONNECTIONS,
  loginUser,
  type PostgresConnectionOptions,
  type RoleCredentials,
} from '../poolConfig';
import { openPostgresConnection } from '../postgresConnection';

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
    roles: { writer: loginUser(options), reader: reader?.user },
    close: async () => {
      await Promise.all([...new Set([writer, readers, admins])].map(each => each.close()));
    },
  };
}

/** The same server for another role. */
export function loginAs(
  options: PostgresConnectionOptions,
  { user, password, passwordFile, auth, ...role }: RoleCredentials,
): PostgresConnectionOptions {
  const maxConnections = role.maxConnections ?? options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  const hasPassword = password !== undefined || passwordFile !== undefined;
  return {
    ...options,
    user,
    // An empty one, lest that of a connection string is taken.
    password: password ?? '',
    passwordFile,
    auth: auth ?? (hasPassword ? 'password' : options.auth),
    maxConnections,
    minConnections: Math.min(options.minConnections ?? 0, maxConnections),
  };
}
