import { readFileSync } from 'node:fs';
import { parse } from 'pg-connection-string';
import { ConfigurationError } from '../errors';
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
  /** Left out where the string says nothing of TLS. */
  ssl?: boolean | TlsOptions;
}

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

/** Whether the string itself says how to encrypt. */
export function saysTls(connectionString: string): boolean {
  return /[?&](ssl\w*|uselibpqcompat)=/.test(connectionString);
}

/**
 * Reads a string such as `postgresql://user:password@host:5432/database?sslmode=verify-full`.
 *
 * @throws ConfigurationError, which repeats nothing of the string.
 */
export function parseConnectionString(connectionString: string): ConnectionTarget {
  const { text, tls } = withoutTls(connectionString);
  const { host, port, database, user, password, ssl, ...rest } = read(text);
  return {
    ...definedTexts(rest),
    host: host || undefined,
    port: port ? Number(port) : undefined,
    database: database || undefined,
    user: user || undefined,
    password: password || undefined,
    ssl: Object.keys(tls).length > 0 ? tlsOf(tls) : sslFlag(ssl),
  };
}

function sslFlag(ssl: unknown): boolean | TlsOptions | undefined {
  return ssl === 'no-verify'
    ? { rejectUnauthorized: false }
    : ssl === undefined
      ? undefined
      : ssl === true || ssl === 'true';
}

function read(text: string) {
  try {
    return parse(text);
  } catch {
    throw unreadable(
      'a URL such as postgresql://user@host:5432/database; encode special characters of the password, such as @ as %40',
    );
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
      tls[known] = decodeURIComponent(value);
    }
    return parameter !== '' && !known;
  });
  return { text: kept.length > 0 ? `${before}?${kept.join('&')}` : before, tls };
}

function tlsOf(tls: ReturnType<typeof withoutTls>['tls']): boolean | TlsOptions {
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
    ...(sslrootcert && sslrootcert !== 'system' && { ca: readPem(sslrootcert, 'sslrootcert') }),
    ...(sslcert && { cert: readPem(sslcert, 'sslcert') }),
    ...(sslkey && { key: readPem(sslkey, 'sslkey') }),
    ...(!mode.chain && { rejectUnauthorized: false }),
    // Only where the authority is one's own: a public one certifies anybody.
    ...(!mode.name &&
      mode.chain &&
      sslrootcert &&
      sslrootcert !== 'system' && { checkServerIdentity: () => undefined }),
  };
}

function readPem(file: string, parameter: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(
      `a URL whose ${parameter} names a file that can be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}

function unreadable(expected: string): ConfigurationError {
  return new ConfigurationError([`Expected the connection string to be ${expected}`]);
}

function definedTexts(values: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => typeof value === 'string'),
  );
}
