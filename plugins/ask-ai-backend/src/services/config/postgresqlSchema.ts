import { z } from 'zod';
import { AUTH_METHODS } from '../../database/credentials/PostgresCredentials';
import { choice, flag, integer, section, text } from '../../lib/fields';
import { DEFAULTS } from './defaults';
import { postgresqlProblems } from './postgresqlProblems';
import { vectorIndexSchema } from './vectorIndexSchema';

const PEM = /-----BEGIN [A-Z0-9 ]+-----/;

/** Text of certificates or keys. */
function pem(what: string) {
  const expected = `${what} as PEM text, which begins with -----BEGIN (of a file: { $file: path })`;
  return z.string(expected).refine(value => PEM.test(value), expected);
}

const tlsSchema = section({
  ca: pem('the certificates of the authority').optional(),
  cert: pem('the certificate of the client').optional(),
  key: pem('the private key of the client').optional(),
  rejectUnauthorized: flag().optional(),
  servername: text('the host name in the certificate of the server').optional(),
});

/** Who logs in. */
const credentialsShape = {
  user: text('the name of a role').optional(),
  // An empty password is how an environment variable says "none".
  password: z.string('a text; an empty one means no password').optional(),
  passwordFile: text('the path of a file that holds the password').optional(),
  auth: choice(AUTH_METHODS).optional(),
};

/** Another role on the same server. */
const roleSchema = section({
  ...credentialsShape,
  user: text('the name of a role'),
  maxConnections: integer(1, 1_000).optional(),
});

/** A day: longer limits are no limits. */
const LONGEST_MILLIS = 86_400_000;

/**
 * Without defaults, which the transformation fills in: whether a server is described can only be
 * seen from what was given.
 */
const settingsSchema = section({
  host: text('a host name, an address or the folder of a socket').optional(),
  port: integer(1, 65_535).optional(),
  database: text('the name of a database').optional(),
  ...credentialsShape,
  admin: roleSchema.optional(),
  reader: roleSchema.optional(),
  connectionString: text('a URL such as postgresql://user@host:5432/database').optional(),
  schema: text('the name of a schema').optional(),
  ssl: z
    .union(
      [flag(), tlsSchema],
      'true, false or an object with ca, cert, key, rejectUnauthorized and servername',
    )
    .optional(),
  maxConnections: integer(1, 1_000).optional(),
  minConnections: integer(0, 1_000).optional(),
  idleTimeoutMillis: integer(0, LONGEST_MILLIS).optional(),
  connectionTimeoutMillis: integer(1, LONGEST_MILLIS).optional(),
  statementTimeoutMillis: integer(1, LONGEST_MILLIS).optional(),
  queryTimeoutMillis: integer(2, LONGEST_MILLIS).optional(),
  lockTimeoutMillis: integer(1, LONGEST_MILLIS).optional(),
  idleInTransactionTimeoutMillis: integer(1, LONGEST_MILLIS).optional(),
  maxLifetimeSeconds: integer(0, LONGEST_MILLIS / 1_000).optional(),
  keepAlive: flag().optional(),
  applicationName: text('a name of at most 63 characters').max(63).optional(),
  index: vectorIndexSchema.optional(),
  textSearchConfig: text('the name of a text search configuration of PostgreSQL').optional(),
  slowQueryMillis: integer(0, LONGEST_MILLIS).optional(),
});

type Settings = z.output<typeof settingsSchema>;
type ServerSettings = Omit<Settings, 'index' | 'textSearchConfig' | 'slowQueryMillis'>;

/**
 * `askAi.vectorStore.postgresql`: the server, absent when the block describes only what is made
 * of the texts, and that.
 */
export const postgresqlSchema = settingsSchema
  .superRefine((settings, context) => {
    const problems = isIndexAlone(settings) ? [] : postgresqlProblems(settings);
    for (const { key, message } of problems) {
      context.addIssue({ code: 'custom', path: key.split('.'), message });
    }
  })
  .transform(settings => {
    const {
      index = vectorIndexSchema.parse({}),
      slowQueryMillis = DEFAULTS.postgresql.slowQueryMillis,
      textSearchConfig,
      ...server
    } = settings;
    return {
      index,
      slowQueryMillis,
      ...(textSearchConfig !== undefined && { textSearchConfig }),
      server: isIndexAlone(settings) ? undefined : completeServer(server),
    };
  });

/**
 * Then it lies in Backstage's own database. A block with nothing in it is no such thing: it is a
 * server whose environment variables are not set, which must not go unnoticed.
 */
function isIndexAlone({ index, textSearchConfig, slowQueryMillis, ...server }: Settings): boolean {
  const isAny = [index, textSearchConfig, slowQueryMillis].some(value => value !== undefined);
  return isAny && Object.values(server).every(value => value === undefined);
}

function completeServer(server: ServerSettings) {
  const { postgresql } = DEFAULTS;
  // What a connection string may say has its default where the string is read.
  const statementTimeoutMillis = server.statementTimeoutMillis ?? postgresql.statementTimeoutMillis;
  return {
    ...server,
    port: server.port ?? (server.connectionString ? undefined : postgresql.port),
    password: server.password || undefined,
    admin: server.admin && completeRole(server.admin),
    reader: server.reader && completeRole(server.reader),
    auth: server.auth ?? postgresql.auth,
    minConnections: server.minConnections ?? postgresql.minConnections,
    maxLifetimeSeconds: server.maxLifetimeSeconds ?? postgresql.maxLifetimeSeconds,
    keepAlive: server.keepAlive ?? postgresql.keepAlive,
    applicationName:
      server.applicationName ?? (server.connectionString ? undefined : postgresql.applicationName),
    maxConnections: server.maxConnections ?? postgresql.maxConnections,
    idleTimeoutMillis: server.idleTimeoutMillis ?? postgresql.idleTimeoutMillis,
    connectionTimeoutMillis:
      server.connectionTimeoutMillis ??
      (server.connectionString ? undefined : postgresql.connectionTimeoutMillis),
    statementTimeoutMillis,
    queryTimeoutMillis:
      server.queryTimeoutMillis ?? statementTimeoutMillis + postgresql.queryTimeoutMarginMillis,
  };
}

function completeRole({ password, ...role }: z.output<typeof roleSchema>) {
  return { ...role, password: password || undefined };
}
