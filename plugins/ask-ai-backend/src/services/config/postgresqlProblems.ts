import { type ConnectionTarget, parseConnectionString } from '../../database/connectionString';
import { ConfigurationError } from '../../errors';
import { DEFAULTS } from './defaults';

/** A key of the block, or of a block in it, and what it is expected to be. */
interface Problem {
  key: string;
  message: string;
}

/** What is looked at. */
interface PostgresqlSettings {
  host?: string;
  port?: number;
  database?: string;
  user?: string;
  password?: string;
  passwordFile?: string;
  auth?: string;
  connectionString?: string;
  ssl?: unknown;
  statementTimeoutMillis?: number;
  queryTimeoutMillis?: number;
  maxConnections?: number;
  minConnections?: number;
  admin?: RoleSettings;
  reader?: RoleSettings;
}

type RoleSettings = Pick<PostgresqlSettings, 'password' | 'passwordFile' | 'auth'>;

const TARGET_KEYS = ['host', 'port', 'database', 'user', 'password'] as const;

/** Problems between keys of a server that are each right by themselves. */
export function postgresqlProblems(settings: PostgresqlSettings): Problem[] {
  const string = readString(settings.connectionString);
  if ('problem' in string) {
    return [
      { key: 'connectionString', message: string.problem },
      ...doubledTarget(settings),
      ...limitProblems(settings),
    ];
  }
  const { target } = string;
  const reached = {
    ...settings,
    host: target ? target.host : settings.host,
    ssl: settings.ssl ?? target?.ssl,
  };
  return [
    ...(target ? stringProblems(settings, target) : missingTarget(settings)),
    ...credentialProblems(reached),
    ...roleProblems(reached, 'admin'),
    ...roleProblems(reached, 'reader'),
    ...limitProblems(settings),
  ];
}

/** What the string says, without the files that it names: they are read when a connection is made. */
function readString(
  connectionString: string | undefined,
): { target?: ConnectionTarget } | { problem: string } {
  try {
    return {
      target:
        connectionString === undefined
          ? undefined
          : parseConnectionString(connectionString, () => ''),
    };
  } catch (error) {
    if (error instanceof ConfigurationError) {
      const [problem = ''] = error.problems;
      return { problem: problem.replace('Expected the connection string to be ', '') };
    }
    throw error;
  }
}

function stringProblems(settings: PostgresqlSettings, target: ConnectionTarget): Problem[] {
  const doubled = doubledTarget(settings);
  return settings.ssl !== undefined && target.ssl !== undefined
    ? [...doubled, { key: 'ssl', message: 'left out, because connectionString says sslmode' }]
    : doubled;
}

function doubledTarget(settings: PostgresqlSettings): Problem[] {
  return TARGET_KEYS.filter(key => settings[key] !== undefined).map(key => ({
    key,
    message: 'left out, because connectionString is given',
  }));
}

function missingTarget(settings: PostgresqlSettings): Problem[] {
  const { auth = 'password', passwordFile } = settings;
  const needsPassword = auth === 'password' && passwordFile === undefined;
  const expected = {
    host: 'a host name (or give connectionString)',
    database: 'the name of a database',
    user: 'the name of a role',
    ...(needsPassword && { password: 'a text (an empty one means no password)' }),
  };
  return Object.entries(expected)
    .filter(([key]) => settings[key as keyof typeof expected] === undefined)
    .map(([key, message]) => ({ key, message: message ?? '' }));
}

function credentialProblems(settings: PostgresqlSettings): Problem[] {
  const { auth = 'password', password, passwordFile, host = '', ssl } = settings;
  if (auth === 'password') {
    return password !== undefined && passwordFile !== undefined
      ? [{ key: 'passwordFile', message: 'left out, because password is given' }]
      : [];
  }
  const left = `left out, because auth is ${auth}`;
  const isEncrypted = ssl !== undefined && ssl !== false;
  return [
    ...(password ? [{ key: 'password', message: left }] : []),
    ...(passwordFile !== undefined ? [{ key: 'passwordFile', message: left }] : []),
    ...(!isEncrypted && !isOnThisMachine(host)
      ? [{ key: 'ssl', message: 'true or an object, because tokens are sent as they are' }]
      : []),
  ];
}

function roleProblems(settings: PostgresqlSettings, role: 'admin' | 'reader'): Problem[] {
  const { ssl, host } = settings;
  const own = settings[role];
  if (!own) {
    return [];
  }
  const isWithoutPassword = own.password === undefined && own.passwordFile === undefined;
  const auth = own.auth ?? (isWithoutPassword ? settings.auth : undefined) ?? 'password';
  if (isWithoutPassword && auth === 'password') {
    return [{ key: `${role}.password`, message: 'a text (an empty one means no password)' }];
  }
  return credentialProblems({ ...own, auth, ssl, host }).map(({ key, message }) => ({
    key: key === 'ssl' ? key : `${role}.${key}`,
    message,
  }));
}

/** A proxy of the vendor, which encrypts. */
function isOnThisMachine(host: string): boolean {
  return /^(localhost|127\.[\d.]+|::1|\/.*)$/.test(host);
}

function limitProblems(settings: PostgresqlSettings): Problem[] {
  const {
    statementTimeoutMillis,
    maxConnections,
    minConnections = 0,
  } = {
    ...settings,
    statementTimeoutMillis:
      settings.statementTimeoutMillis ?? DEFAULTS.postgresql.statementTimeoutMillis,
    maxConnections: settings.maxConnections ?? DEFAULTS.postgresql.maxConnections,
  };
  const problems: Problem[] = [];
  const { queryTimeoutMillis } = settings;
  if (queryTimeoutMillis !== undefined && queryTimeoutMillis <= statementTimeoutMillis) {
    problems.push({
      key: 'queryTimeoutMillis',
      message: `more than statementTimeoutMillis, which is ${statementTimeoutMillis}`,
    });
  }
  if (minConnections > maxConnections) {
    problems.push({
      key: 'minConnections',
      message: `at most maxConnections, which is ${maxConnections}`,
    });
  }
  return problems;
}
