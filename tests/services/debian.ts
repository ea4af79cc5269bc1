import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { findOnPath } from './findOnPath';
import { cacheDirectory } from './records';
import { say } from './say';

/** The first Debian release with a package of pgvector 0.8. */
const SUITE = 'trixie';
const PACKAGES = ['postgresql-17', 'postgresql-17-pgvector', 'redis-server', 'pgbouncer'];

/** How often a long build says that it is alive, in milliseconds. */
const PROGRESS_INTERVAL_MS = 15_000;

/** The folder that holds a small Debian with the servers, `undefined` until it has been built. */
export function findDebian(): string | undefined {
  const folder = debianFolder();
  return isRoot() && existsSync(folder) ? folder : undefined;
}

/** Why a small Debian can't be built here, or `undefined` when it can. */
export function whyNotDebian(): string | undefined {
  if (process.platform !== 'linux' || !existsSync('/etc/debian_version')) {
    return 'this is not Debian or Ubuntu';
  }
  if (!isRoot()) {
    return 'this process is not root';
  }
  const missing = ['flock', 'apt-get', 'chroot', 'setpriv'].filter(tool => !findOnPath(tool));
  return missing.length > 0 ? `${missing.join(' and ')} missing` : undefined;
}

/**
 * Builds the small Debian with debootstrap, or waits for another process that does, and resolves to
 * its folder. Takes about a minute, and about 700 MB of disk.
 *
 * @throws Error with the end of the log when the packages can't be had.
 */
export async function buildDebian(): Promise<string> {
  const folder = debianFolder();
  const logFile = `${folder}.log`;
  mkdirSync(dirname(folder), { recursive: true });
  say(`Building a small Debian ${SUITE} with ${PACKAGES.join(', ')} in ${folder}, once`);
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const progress = setInterval(
    () => say(`Still building (${seconds()} s): ${lastLines(logFile, 1)}`),
    PROGRESS_INTERVAL_MS,
  );
  try {
    await runBuild(folder, logFile);
  } finally {
    clearInterval(progress);
  }
  say(`Built in ${seconds()} s`);
  return folder;
}

async function runBuild(folder: string, logFile: string): Promise<void> {
  // Appending: a second process that waits for the first opens the same file.
  const log = openSync(logFile, 'a');
  const child = spawn(
    'bash',
    [join(__dirname, 'build-debian.sh'), folder, SUITE, PACKAGES.join(',')],
    { stdio: ['ignore', 'pipe', log] },
  );
  closeSync(log);
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', say);
  }
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) {
    throw new Error(
      `Debian ${SUITE} could not be built in ${folder} (${signal ?? `exit code ${code}`}). ` +
        `Is the package mirror reachable? The end of ${logFile}:\n${lastLines(logFile, 10)}`,
    );
  }
}

/** Another recipe gets another folder, so that an old one is never taken for it. */
function debianFolder(): string {
  const recipe = createHash('sha256').update(PACKAGES.join()).digest('hex').slice(0, 8);
  return join(cacheDirectory(), `${SUITE}-${process.arch}-${recipe}`);
}

function lastLines(file: string, count: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
