import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync } from 'node:fs';
import { chown, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { buildDebian, findDebian, whyNotDebian } from './debian';
import { findOnPath } from './findOnPath';
import { findInstalledPostgres } from './installedPostgres';
import { SERVICE_FOLDER_PREFIX } from './records';

/** The servers that a test can start on its own. */
export type ServiceName = 'postgresql' | 'redis' | 'pgbouncer';

/** A place where the programs of a service are. */
export interface ServicePrograms {
  /** `/`, or the folder of a small Debian, which becomes the root of what runs in it. */
  root: string;
  /** Folder of the programs, as seen from `root`. */
  binFolder: string;
  /** For people: where they came from. */
  origin: string;
  /** Who they run as; absent when that is whoever runs the tests. */
  user?: { uid: number; gid: number };
}

/** A folder that belongs to one service. */
export interface ServiceFolder {
  /** As this process sees it. */
  host: string;
  /** As the service sees it. */
  inside: string;
}

/** A command that runs a program of a service in its place. */
export interface Command {
  file: string;
  args: string[];
}

const PROGRAM: Record<Exclude<ServiceName, 'postgresql'>, string> = {
  redis: 'redis-server',
  pgbouncer: 'pgbouncer',
};
const DEBIAN_BIN_FOLDER: Record<ServiceName, string> = {
  postgresql: '/usr/lib/postgresql/17/bin',
  redis: '/usr/bin',
  pgbouncer: '/usr/sbin',
};

/**
 * The programs of a service: installed on this machine, else in the small Debian, which is built
 * when it can be (a minute, once).
 *
 * @throws Error that says what to install.
 */
export async function findPrograms(service: ServiceName): Promise<ServicePrograms> {
  const found = findInstalled(service) ?? findInDebian(service);
  if (found) {
    return found;
  }
  const reason = whyNotDebian();
  if (reason) {
    throw new Error(
      `No ${service} server on this machine, and none can be built from Debian's packages (${reason}). ` +
        'Install PostgreSQL 13 or newer with pgvector 0.8 or newer, Redis and PgBouncer on it, or run as root on Debian or Ubuntu.',
    );
  }
  await buildDebian();
  const built = findInDebian(service);
  if (!built) {
    throw new Error(`The small Debian that was built has no ${service}`);
  }
  return built;
}

function findInstalled(service: ServiceName): ServicePrograms | undefined {
  const user = serviceUser('/');
  if (user === 'unknown') {
    return undefined;
  }
  const place = { root: '/', user };
  if (service === 'postgresql') {
    const binFolder = findInstalledPostgres();
    return binFolder ? { ...place, binFolder, origin: `installed in ${binFolder}` } : undefined;
  }
  const path = findOnPath(PROGRAM[service]);
  return path
    ? { ...place, binFolder: join(path, '..'), origin: `installed as ${path}` }
    : undefined;
}

function findInDebian(service: ServiceName): ServicePrograms | undefined {
  const root = findDebian();
  const user = root ? serviceUser(root) : undefined;
  return root && user !== 'unknown'
    ? { root, user, binFolder: DEBIAN_BIN_FOLDER[service], origin: `from Debian in ${root}` }
    : undefined;
}

/** PostgreSQL and PgBouncer refuse to run as root; their packages make the user `postgres`. */
function serviceUser(root: string): ServicePrograms['user'] | 'unknown' {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const line = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readPasswd(root));
  return line && guardOptions('KILL').length > 0
    ? { uid: Number(line[1]), gid: Number(line[2]) }
    : 'unknown';
}

function readPasswd(root: string): string {
  try {
    return readFileSync(join(root, 'etc', 'passwd'), 'utf8');
  } catch {
    return '';
  }
}

/** Makes a folder that the service may write to. Its name says whose it is; see records.ts. */
export function createServiceFolder(programs: ServicePrograms): ServiceFolder {
  const parent = programs.root === '/' ? tmpdir() : join(programs.root, 'srv');
  const host = mkdtempSync(join(parent, SERVICE_FOLDER_PREFIX));
  if (programs.user) {
    chownSync(host, programs.user.uid, programs.user.gid);
  }
  return { host, inside: join('/', relative(programs.root, host)) };
}

/** Writes a file that only the service may read. */
export async function writeServiceFile(
  { user }: ServicePrograms,
  file: string,
  content: string,
): Promise<void> {
  await writeFile(file, content, { mode: 0o600 });
  if (user) {
    await chown(file, user.uid, user.gid);
  }
}

/**
 * The command that runs a program where its files are, as its user. The process that it becomes is
 * the program itself, and gets `deathSignal` when its parent ends, however that ends (Linux only).
 */
export function commandFor(
  programs: ServicePrograms,
  program: string,
  args: string[],
  deathSignal: 'QUIT' | 'KILL',
): Command {
  const guarded = [
    ...setprivOptions(programs, deathSignal),
    join(programs.binFolder, program),
    ...args,
  ];
  const [file = program, ...rest] =
    programs.root === '/' ? guarded : inside(programs.root, guarded);
  return { file, args: rest };
}

/**
 * In a mount namespace of its own, /proc and shared memory are there and go with the process. A
 * container without the right to mount does without them.
 */
function inside(root: string, command: string[]): string[] {
  if (!succeeds('unshare', '--mount', 'true')) {
    return ['chroot', root, ...command];
  }
  const enter =
    'root=$1; shift; mount -t proc proc "$root/proc"; mount -t tmpfs tmpfs "$root/dev/shm"; exec chroot "$root" "$@"';
  return ['unshare', '--mount', 'sh', '-c', enter, basename(root), root, ...command];
}

function setprivOptions({ user }: ServicePrograms, deathSignal: 'QUIT' | 'KILL'): string[] {
  const guard = guardOptions(deathSignal);
  const identity = user ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : [];
  return guard.length > 0 ? ['setpriv', ...identity, ...guard] : [];
}

/** Empty where setpriv (util-linux) is missing or, as in BusyBox, has no such option. */
function guardOptions(deathSignal: string): string[] {
  return succeeds('setpriv', '--pdeathsig=KILL', 'true') ? [`--pdeathsig=${deathSignal}`] : [];
}

function succeeds(file: string, ...args: string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0;
}
