import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { VectorStoreUnavailableError } from '../errors';
import { processExists } from '../lib/owner';

/** Who holds a folder. */
interface Holder {
  pid: number;
  hostname: string;
  /** Tells a process from a later one of the same id; absent where the system can't tell. */
  processStartedAt?: string;
  lockedAt: string;
  lockId: string;
}

/** A take-over lasts milliseconds; one this old, in milliseconds, was left by a killed process. */
const TAKEOVER_STALE_AFTER_MS = 10_000;

/**
 * Holds a folder for this process until the returned function is called. Two processes on one
 * PGlite folder silently lose data, so a second one is refused with the holder's name. A lock whose
 * holder was killed is taken over.
 *
 * @throws VectorStoreUnavailableError that names the holder.
 */
export async function lockFolder(directory: string): Promise<() => Promise<void>> {
  const lockFile = `${directory}.lock`;
  await mkdir(dirname(lockFile), { recursive: true });
  const mine: Holder = {
    pid: process.pid,
    hostname: hostname(),
    processStartedAt: (await processStatus(process.pid))?.startedAt,
    lockedAt: new Date().toISOString(),
    lockId: randomUUID(),
  };
  const candidate = `${lockFile}.${mine.lockId}`;
  await writeFile(candidate, JSON.stringify(mine));
  try {
    while (!(await linked(candidate, lockFile))) {
      await takeOver(lockFile, directory);
    }
  } finally {
    await rm(candidate, { force: true });
  }
  return async () => {
    if ((await readHolder(lockFile))?.lockId === mine.lockId) {
      await rm(lockFile, { force: true });
    }
  };
}

/** Creates `target` with the content of `source`, which only one process can. */
async function linked(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

/** Removes a lock whose holder is gone; rejects when the holder lives. */
async function takeOver(lockFile: string, directory: string): Promise<void> {
  const guard = `${lockFile}.takeover`;
  // Only one process at a time may judge and remove, else a second one would remove the lock that
  // the first has just made.
  try {
    await writeFile(guard, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
    await removeStaleGuard(guard);
    return;
  }
  try {
    const holder = await readHolder(lockFile);
    if (holder && (await isAlive(holder))) {
      throw new VectorStoreUnavailableError(
        `The embedded store in ${directory} is in use by process ${holder.pid} on ${holder.hostname} since ${holder.lockedAt}. ` +
          'Stop that process, choose another folder (askAi.vectorStore.embedded.directory), or use a PostgreSQL server, which many processes can share.',
      );
    }
    await rm(lockFile, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function removeStaleGuard(guard: string): Promise<void> {
  const age = await stat(guard).then(
    found => Date.now() - found.mtimeMs,
    () => 0,
  );
  if (age > TAKEOVER_STALE_AFTER_MS) {
    await rename(guard, `${guard}.${randomUUID()}`).then(
      () => undefined,
      () => undefined,
    );
    return;
  }
  await new Promise(resolve => setTimeout(resolve, 20));
}

async function readHolder(lockFile: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(lockFile, 'utf8')) as Holder;
  } catch {
    // Gone, or cut short by a crash of the machine: nobody holds it.
    return undefined;
  }
}

/** Another machine's process can't be asked, so it counts as alive. */
async function isAlive(holder: Holder): Promise<boolean> {
  if (holder.hostname !== hostname()) {
    return true;
  }
  if (!processExists(holder.pid)) {
    return false;
  }
  const found = await processStatus(holder.pid);
  if (found === undefined) {
    return true;
  }
  return !found.isZombie && found.startedAt === holder.processStartedAt;
}

/**
 * Linux tells the state of a process and when it started, in clock ticks since boot: fields 3 and 22
 * of /proc/PID/stat, counted behind the command's name, which may hold spaces (proc(5)). A killed
 * process stays as a zombie until its parent collects it, but holds nothing any more.
 */
async function processStatus(
  pid: number,
): Promise<{ startedAt: string; isZombie: boolean } | undefined> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8');
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return { startedAt: `${boot}:${fields[19]}`, isZombie: fields[0] === 'Z' || fields[0] === 'X' };
  } catch {
    return undefined;
  }
}
