import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { query } from './connect';
import {
  commandFor,
  findPrograms,
  type ServiceFolder,
  type ServicePrograms,
  writeServiceFile,
} from './programs';
import { type ServiceDefinition, ServiceProcess } from './ServiceProcess';

const SUPERUSER = 'postgres';

/** Values of postgresql.conf. */
export type PostgresSettings = Readonly<Record<string, string | number | boolean>>;

export interface PostgresOptions {
  /** Added to the defaults of {@link startPostgres}, or in their place. */
  settings?: PostgresSettings;
  /** Whether commits reach the disk. Default `true`; `false` is faster and may lose data in a crash. */
  durable?: boolean;
}

/** How a server is stopped: see "Shutting Down the Server" in PostgreSQL's manual. */
export type StopMode = 'smart' | 'fast' | 'immediate';

/** A PostgreSQL cluster of its own, with pgvector available, on a port of 127.0.0.1. */
export interface PostgresServer {
  /** Logs in as the superuser, to the database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** Process id of the postmaster. */
  readonly pid: number;
  /** Where its programs came from, for people. */
  readonly origin: string;
  /** Starts it again after `stop` or `kill`, on the same port and data. */
  start(): Promise<void>;
  /** Default mode `fast`. */
  stop(mode?: StopMode): Promise<void>;
  /** Ends all of its processes with SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP to all of its processes: connections are accepted, nothing is answered. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Writes a file (a certificate, `pg_hba.conf`) to the data folder; its owner alone may read it. */
  writeFile(name: string, content: string): Promise<void>;
  /** All that the server logged. */
  readLog(): string;
  /** Stops it and removes its data. */
  close(): Promise<void>;
}

const DEFAULT_SETTINGS: PostgresSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 200,
  shared_preload_libraries: '',
  log_line_prefix: '%m [%p] %q%u@%d ',
};
const FAST_AND_LOSSY: PostgresSettings = {
  fsync: false,
  synchronous_commit: false,
  full_page_writes: false,
};
const STOP_SIGNAL: Record<StopMode, NodeJS.Signals> = {
  smart: 'SIGTERM',
  fast: 'SIGINT',
  immediate: 'SIGQUIT',
};

/**
 * Starts a private cluster, for a test that stops, kills or reconfigures its server. Whoever starts
 * it closes it.
 *
 * @throws Error that says what to install, where there is no PostgreSQL with pgvector to start.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const programs = await findPrograms('postgresql');
  const settings = {
    ...DEFAULT_SETTINGS,
    ...(options.durable === false ? FAST_AND_LOSSY : {}),
    ...options.settings,
  };
  const password = randomUUID();
  const urlOf = (port: number) =>
    `postgresql://${SUPERUSER}:${password}@127.0.0.1:${port}/${SUPERUSER}`;
  const service = await ServiceProcess.start(define(programs, settings, password, urlOf));
  return {
    get url() {
      return urlOf(service.port);
    },
    get port() {
      return service.port;
    },
    get pid() {
      return service.pid;
    },
    origin: programs.origin,
    start: () => service.start(),
    stop: (mode = 'fast') => service.stop(STOP_SIGNAL[mode]),
    kill: () => service.kill(),
    pause: () => service.pause(),
    resume: () => service.resume(),
    writeFile: (name, content) =>
      writeServiceFile(programs, join(service.folder.host, 'data', name), content),
    readLog: () => service.readLog(),
    close: () => service.close(),
  };
}

function define(
  programs: ServicePrograms,
  settings: PostgresSettings,
  password: string,
  urlOf: (port: number) => string,
): ServiceDefinition {
  return {
    name: 'PostgreSQL',
    programs,
    prepare: folder => initialise(programs, folder, settings, password),
    command: (folder, port) =>
      // An immediate shutdown leaves nothing running; the data goes anyway.
      commandFor(
        programs,
        'postgres',
        ['-D', join(folder.inside, 'data'), '-p', String(port)],
        'QUIT',
      ),
    isReady: async port => {
      await query(urlOf(port), 'SELECT 1');
      return true;
    },
  };
}

async function initialise(
  programs: ServicePrograms,
  folder: ServiceFolder,
  settings: PostgresSettings,
  password: string,
): Promise<void> {
  const passwordFile = join(folder.host, 'password');
  await writeServiceFile(programs, passwordFile, password);
  const { file, args } = commandFor(
    programs,
    'initdb',
    [
      `--pgdata=${join(folder.inside, 'data')}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${join(folder.inside, 'password')}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    'KILL',
  );
  await promisify(execFile)(file, args, { cwd: '/' });
  await rm(passwordFile);
  // initdb's file has defaults alone. ALTER SYSTEM writes postgresql.auto.conf, which wins over this.
  await writeServiceFile(programs, join(folder.host, 'data', 'postgresql.conf'), toConf(settings));
}

function toConf(settings: PostgresSettings): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'`,
  );
  return `${lines.join('\n')}\n`;
}
