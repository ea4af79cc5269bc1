import { z } from 'zod';
import { flag, integer, section, text } from '../../lib/fields';
import { DEFAULTS } from './defaults';
import { vectorIndexSchema } from './vectorIndexSchema';

const tlsSchema = section({
  ca: text('the certificates of the authority, as PEM text').optional(),
  cert: text('the certificate of the client, as PEM text').optional(),
  key: text('the private key of the client, as PEM text').optional(),
  rejectUnauthorized: flag().optional(),
  servername: text('the host name in the certificate of the server').optional(),
});

/** Another role on the same server. */
const roleSchema = section({
  user: text('the name of a role'),
  password: z.string('a text; an empty one means no password'),
  maxConnections: integer(1, 1_000).optional(),
}).transform(({ password, ...role }) => ({ ...role, password: password || undefined }));

/** A day: longer limits are no limits. */
const LONGEST_MILLIS = 86_400_000;

const TARGET_KEYS = ['host', 'port', 'database', 'user', 'password'] as const;

/**
 * Without defaults, which the transformation fills in: whether a server is described can only be
 * seen from what was given.
 */
const settingsSchema = section({
  host: text('a host name, an address or the folder of a socket').optional(),
  port: integer(1, 65_535).optional(),
  database: text('the name of a database').optional(),
  user: text('the name of a role').optional(),
  // An empty password is how an environment variable says "none".
  password: z.string('a text; an empty one means no password').optional(),
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
  idleTimeoutMillis: integer(0, LONGEST_MILLIS).optional(),
  connectionTimeoutMillis: integer(1, LONGEST_MILLIS).optional(),
  statementTimeoutMillis: integer(1, LONGEST_MILLIS).optional(),
  queryTimeoutMillis: integer(2, LONGEST_MILLIS).optional(),
  index: vectorIndexSchema.optional(),
  textSearchConfig: text('the name of a text search configuration of PostgreSQL').optional(),
});

type Settings = z.output<typeof settingsSchema>;
type ServerSettings = Omit<Settings, 'index' | 'textSearchConfig'>;

/**
 * `askAi.vectorStore.postgresql`: the server, absent when the block describes only what is made
 * of the texts, and that.
 */
export const postgresqlSchema = settingsSchema
  .superRefine((settings, context) => {
    for (const { key, message } of targetProblems(settings)) {
      context.addIssue({ code: 'custom', path: [key], message });
    }
  })
  .transform(settings => {
    const { index = vectorIndexSchema.parse({}), textSearchConfig, ...server } = settings;
    return {
      index,
      ...(textSearchConfig !== undefined && { textSearchConfig }),
      server: isIndexAlone(settings) ? undefined : completeServer(server),
    };
  });

/**
 * Then it lies in Backstage's own database. A block with nothing in it is no such thing: it is a
 * server whose environment variables are not set, which must not go unnoticed.
 */
function isIndexAlone({ index, textSearchConfig, ...server }: Settings): boolean {
  const isAny = index !== undefined || textSearchConfig !== undefined;
  return isAny && Object.values(server).every(value => value === undefined);
}

function completeServer(server: ServerSettings) {
  const { postgresql } = DEFAULTS;
  const statementTimeoutMillis = server.statementTimeoutMillis ?? postgresql.statementTimeoutMillis;
  return {
    ...server,
    port: server.port ?? (server.connectionString ? undefined : postgresql.port),
    password: server.password || undefined,
    maxConnections: server.maxConnections ?? postgresql.maxConnections,
    idleTimeoutMillis: server.idleTimeoutMillis ?? postgresql.idleTimeoutMillis,
    connectionTimeoutMillis: server.connectionTimeoutMillis ?? postgresql.connectionTimeoutMillis,
    statementTimeoutMillis,
    queryTimeoutMillis:
      server.queryTimeoutMillis ?? statementTimeoutMillis + postgresql.queryTimeoutMarginMillis,
  };
}

function targetProblems(settings: Settings): { key: string; message: string }[] {
  if (isIndexAlone(settings)) {
    return [];
  }
  const problems = settings.connectionString
    ? TARGET_KEYS.filter(key => settings[key] !== undefined).map(key => ({
        key,
        message: 'left out, because connectionString is given',
      }))
    : missingTarget(settings);
  const {
    statementTimeoutMillis = DEFAULTS.postgresql.statementTimeoutMillis,
    queryTimeoutMillis,
  } = settings;
  if (queryTimeoutMillis !== undefined && queryTimeoutMillis <= statementTimeoutMillis) {
    problems.push({
      key: 'queryTimeoutMillis',
      message: `more than statementTimeoutMillis, which is ${statementTimeoutMillis}`,
    });
  }
  return problems;
}

function missingTarget(settings: Settings): { key: string; message: string }[] {
  const expected = {
    host: 'a host name (or give connectionString)',
    database: 'the name of a database',
    user: 'the name of a role',
    password: 'a text (an empty one means no password)',
  };
  return Object.entries(expected)
    .filter(([key]) => settings[key as keyof typeof expected] === undefined)
    .map(([key, message]) => ({ key, message }));
}
