import { join } from 'node:path';
import { query } from './connect';
import {
  commandFor,
  findPrograms,
  type ServiceFolder,
  type ServicePrograms,
  writeServiceFile,
} from './programs';
import { ServiceProcess } from './ServiceProcess';

export interface PgBouncerOptions {
  poolMode: 'session' | 'transaction' | 'statement';
  /** URL of the server behind it. Its user is the one who may log in, to any database there. */
  target: string;
  /** More roles that may log in, with their passwords. */
  users?: Readonly<Record<string, string>>;
  /** More lines of the section `[pgbouncer]`. */
  settings?: Readonly<Record<string, string | number>>;
}

/** A PgBouncer of its own on a port of 127.0.0.1. */
export interface PgBouncerServer {
  /** The target's URL with PgBouncer's address. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** Ends it at once, dropping its connections. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** @throws Error that says what to install, where there is no PgBouncer to start. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncerServer> {
  const programs = await findPrograms('pgbouncer');
  const urlOf = (port: number, database?: string) => {
    const url = new URL(options.target);
    url.host = `127.0.0.1:${port}`;
    url.search = '';
    url.pathname = database ?? url.pathname;
    return url.href;
  };
  const service = await ServiceProcess.start({
    name: 'PgBouncer',
    programs,
    configure: (folder, port) => writeConfiguration(programs, folder, port, options),
    command: folder => commandFor(programs, 'pgbouncer', [join(folder.inside, 'ini')], 'KILL'),
    isReady: async port => {
      await query(urlOf(port, 'pgbouncer'), 'SHOW VERSION');
      return true;
    },
  });
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
    start: () => service.start(),
    stop: () => service.stop('SIGQUIT'),
    kill: () => service.kill(),
    pause: () => service.pause(),
    resume: () => service.resume(),
    close: () => service.close(),
  };
}

async function writeConfiguration(
  programs: ServicePrograms,
  folder: ServiceFolder,
  port: number,
  { poolMode, target, users, settings }: PgBouncerOptions,
): Promise<void> {
  const { username, password, hostname, port: targetPort } = new URL(target);
  const owner = decodeURIComponent(username);
  const passwords = { [owner]: decodeURIComponent(password), ...users };
  const pgbouncer = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: join(folder.inside, 'users'),
    admin_users: owner,
    pool_mode: poolMode,
    ...settings,
  };
  await writeServiceFile(programs, join(folder.host, 'users'), toUserList(passwords));
  const ini = [
    '[databases]',
    `* = host=${hostname} port=${targetPort || 5432}`,
    '[pgbouncer]',
    ...Object.entries(pgbouncer).map(([name, value]) => `${name} = ${value}`),
  ];
  await writeServiceFile(programs, join(folder.host, 'ini'), `${ini.join('\n')}\n`);
}

function toUserList(passwords: Readonly<Record<string, string>>): string {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return Object.entries(passwords)
    .map(([user, password]) => `${quote(user)} ${quote(password)}\n`)
    .join('');
}
