import { readFileSync } from 'node:fs';
import { parse } from 'pg-connection-string';
import { readParameters, unreadable } from './connectionParameters';
import type { TlsOptions } from './tlsOptions';

/** What a connection string says. */
export interface ConnectionTarget {
  host?: string;
  port?: number;
  database?: string;
  user?: string;
  password?: string;
  /** Of the server's command line: `-c name=value`. */
  options?: string;
  applicationName?: string;
  connectionTimeoutMillis?: number;
  /** Left out where the string says nothing of TLS. */
  ssl?: boolean | TlsOptions;
}

const URL_FORM =
  'a URL such as postgresql://user@host:5432/database; encode special characters of the password, such as @ as %40, / as %2F, ? as %3F and # as %23';

const TLS_PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'uselibpqcompat'] as const;

/** Stricter than libpq, where `require` takes anybody's certificate and `prefer` goes on without TLS. */
const SSL_MODES: Record<string, { encrypts: boolean; chain: boolean; name: boolean }> = {
  disable: { encrypts: false, chain: false, name: false },
  'no-verify': { encrypts: true, chain: false, name: false },
  'verify-ca': { encrypts: true, chain: true, name: false },
  prefer: { encrypts: true, chain: true, name: true },
  require: { encrypts: true, chain: true, name: true },
  'verify-full': { encrypts: true, chain: true, name: true },
};

/**
 * Reads a string such as `postgresql://user:password@host:5432/database?sslmode=verify-full`.
 *
 * @param readFile - gives the text of the files that `sslrootcert`, `sslcert` and `sslkey` name.
 * @throws ConfigurationError, which repeats nothing of the string but the name of a parameter.
 */
export function parseConnectionString(
  connectionString: string,
  readFile: (file: string) => string = file => readFileSync(file, 'utf8'),
): ConnectionTarget {
  assertForm(connectionString);
  const { text, tls } = withoutTls(connectionString);
  const { host, port, database, user, password, options, ssl, ...rest } = read(text);
  const encryption =
    Object.keys(tls).length > 0 ? tlsOf(tls, readFile) : sslFlag(ssl as string | boolean);
  if (host?.includes(',')) {
    throw unreadable('a URL with one host');
  }
  return {
    ...readParameters(rest as Record<string, unknown>, isVerified(encryption)),
    host: host || undefined,
    port: port ? portOf(port) : undefined,
    database: (rest.dbname as string | undefined) || database || undefined,
    user: user || undefined,
    password: password || undefined,
    options: options || undefined,
    ssl: encryption,
  };
}

/** What pg would take for a name of a host or a database, a password in it included. */
function assertForm(connectionString: string): void {
  const [, afterScheme] =
    /^(?:postgres(?:ql)?:\/\/|socket:(?:\/\/)?)(.*)$/s.exec(connectionString) ?? [];
  const isFolder = /^\/[^\s=]* ?[^\s=]*$/.test(connectionString);
  const [, afterAuthority = ''] = /[/?#](.*)/s.exec(afterScheme ?? '') ?? [];
  // Where a password is not encoded, its first / or ? ends the authority, and the @ comes after it.
  if (
    (afterScheme === undefined && !isFolder) ||
    /[@#]/.test(afterAuthority) ||
    /#/.test(afterScheme ?? '')
  ) {
    throw unreadable(URL_FORM);
  }
}

function portOf(port: string): number {
  const number = Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    throw unreadable('a URL whose port is a number from 1 to 65535');
  }
  return number;
}

function isVerified(ssl: boolean | TlsOptions | undefined): boolean {
  return typeof ssl === 'object' ? ssl.rejectUnauthorized !== false : ssl === true;
}

function sslFlag(ssl: string | boolean | undefined): boolean | TlsOptions | undefined {
  if (ssl === undefined || typeof ssl === 'boolean') {
    return ssl;
  }
  if (ssl === 'no-verify') {
    return { rejectUnauthorized: false };
  }
  if (ssl !== 'true' && ssl !== 'false') {
    throw unreadable('a URL whose ssl is true, false or no-verify; sslmode says more');
  }
  return ssl === 'true';
}

function read(text: string) {
  try {
    return parse(text);
  } catch {
    throw unreadable(URL_FORM);
  }
}

/** pg's own reader would turn them into options of weaker meaning, with a warning. */
function withoutTls(connectionString: string) {
  const tls: Partial<Record<(typeof TLS_PARAMETERS)[number], string>> = {};
  const [before = '', query] = connectionString.split(/\?(.*)/s);
  const kept = (query ?? '').split('&').filter(parameter => {
    const [name = '', value = ''] = parameter.split(/=(.*)/s);
    const known = TLS_PARAMETERS.find(key => key === name);
    if (known) {
      tls[known] = decoded(value, known);
    }
    return parameter !== '' && !known;
  });
  return { text: kept.length > 0 ? `${before}?${kept.join('&')}` : before, tls };
}

function decoded(value: string, parameter: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw unreadable(`a URL whose ${parameter} is percent-encoded, a % itself as %25`);
  }
}

function tlsOf(
  tls: ReturnType<typeof withoutTls>['tls'],
  readFile: (file: string) => string,
): boolean | TlsOptions {
  const mode = SSL_MODES[tls.sslmode ?? 'verify-full'];
  if (!mode) {
    throw unreadable(
      `a URL whose sslmode is one of ${Object.keys(SSL_MODES).join(', ')} (allow would go on without encryption)`,
    );
  }
  if (!mode.encrypts) {
    return false;
  }
  const { sslrootcert, sslcert, sslkey } = tls;
  return {
    // libpq's name for what is the default here.
    ...(sslrootcert &&
      sslrootcert !== 'system' && { ca: readPem(sslrootcert, 'sslrootcert', readFile) }),
    ...(sslcert && { cert: readPem(sslcert, 'sslcert', readFile) }),
    ...(sslkey && { key: readPem(sslkey, 'sslkey', readFile) }),
    ...(!mode.chain && { rejectUnauthorized: false }),
    // Only where the authority is one's own: a public one certifies anybody.
    ...(!mode.name &&
      mode.chain &&
      sslrootcert &&
      sslrootcert !== 'system' && { checkServerIdentity: () => undefined }),
  };
}

function readPem(file: string, parameter: string, readFile: (file: string) => string): string {
  try {
    return readFile(file);
  } catch (error) {
    throw unreadable(
      `a URL whose ${parameter} names a file that can be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}
