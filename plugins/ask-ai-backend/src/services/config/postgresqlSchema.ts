import { z } from 'zod';
import { flag, integer, section, text } from '../../lib/fields';
import { DEFAULTS } from './defaults';

const tlsSchema = section({
  ca: text('the certificates of the authority, as PEM text').optional(),
  cert: text('the certificate of the client, as PEM text').optional(),
  key: text('the private key of the client, as PEM text').optional(),
  rejectUnauthorized: flag().optional(),
  servername: text('the host name in the certificate of the server').optional(),
});

/** A day: longer limits are no limits. */
const LONGEST_MILLIS = 86_400_000;

const TARGET_KEYS = ['host', 'port', 'database', 'user', 'password'] as const;

const settingsSchema = section({
  host: text('a host name, an address or the folder of a socket').optional(),
  port: integer(1, 65_535).optional(),
  database: text('the name of a database').optional(),
  user: text('the name of a role').optional(),
  // An empty password is how an environment variable says "none".
  password: z.string('a text; an empty one means no password').optional(),
  connectionString: text('a URL such as postgresql://user@host:5432/database').optional(),
  schema: text('the name of a schema').optional(),
  ssl: z
    .union(
      [flag(), tlsSchema],
      'true, false or an object with ca, cert, key, rejectUnauthorized and servername',
    )
    .optional(),
  maxConnections: integer(1, 1_000).default(DEFAULTS.postgresql.maxConnections),
  idleTimeoutMillis: integer(0, LONGEST_MILLIS).default(DEFAULTS.postgresql.idleTimeoutMillis),
  connectionTimeoutMillis: integer(1, LONGEST_MILLIS).default(
    DEFAULTS.postgresql.connectionTimeoutMillis,
  ),
  statementTimeoutMillis: integer(1, LONGEST_MILLIS).default(
    DEFAULTS.postgresql.statementTimeoutMillis,
  ),
  queryTimeoutMillis: integer(2, LONGEST_MILLIS).optional(),
});

type Settings = z.output<typeof settingsSchema>;

export const postgresqlSchema = settingsSchema
  .superRefine((settings, context) => {
    for (const { key, message } of targetProblems(settings)) {
      context.addIssue({ code: 'custom', path: [key], message });
    }
  })
  .transform(settings => ({
    ...settings,
    port: settings.port ?? (settings.connectionString ? undefined : DEFAULTS.postgresql.port),
    password: settings.password || undefined,
    queryTimeoutMillis:
      settings.queryTimeoutMillis ??
      settings.statementTimeoutMillis + DEFAULTS.postgresql.queryTimeoutMarginMillis,
  }));

function targetProblems(settings: Settings): { key: string; message: string }[] {
  const problems = settings.connectionString
    ? TARGET_KEYS.filter(key => settings[key] !== undefined).map(key => ({
        key,
        message: 'left out, because connectionString is given',
      }))
    : missingTarget(settings);
  const { statementTimeoutMillis, queryTimeoutMillis } = settings;
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
