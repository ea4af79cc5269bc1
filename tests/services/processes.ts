import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A process that can be told from a later one with the same id. */
export interface ProcessIdentity {
  pid: number;
  /** Opaque: equal for the same process, different for any other. */
  startedAt: string;
}

interface ProcessStatus extends ProcessIdentity {
  parentPid: number;
  isZombie: boolean;
}

/** Identity of a running process, or `undefined` when there is none with this id. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const status = readStatus(pid);
  return status && !status.isZombie ? { pid, startedAt: status.startedAt } : undefined;
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startedAt === identity.startedAt;
}

/** Ids of the running direct children of a process. */
export function childPids(pid: number): number[] {
  return allPids()
    .map(readStatus)
    .filter(status => status?.parentPid === pid && !status.isZombie)
    .flatMap(status => status?.pid ?? []);
}

/** Command line of a process, empty when it is gone. */
export function commandLine(pid: number): string {
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      : ps('-o', 'args=', '-p', String(pid));
  } catch {
    return '';
  }
}

/** Sends a signal; a process that is gone already is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error;
    }
  }
}

function allPids(): number[] {
  if (process.platform === 'linux') {
    return readdirSync('/proc').filter(isNumeric).map(Number);
  }
  return ps('-A', '-o', 'pid=').split('\n').map(Number).filter(Boolean);
}

function isNumeric(name: string): boolean {
  return /^\d+$/.test(name);
}

function readStatus(pid: number): ProcessStatus | undefined {
  try {
    return process.platform === 'linux' ? readLinuxStatus(pid) : readPsStatus(pid);
  } catch {
    return undefined;
  }
}

/**
 * Fields 3, 4 and 22 of /proc/PID/stat are state, parent and start in clock ticks since boot,
 * counted behind the command's name, which may hold spaces (proc(5)).
 */
function readLinuxStatus(pid: number): ProcessStatus {
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return {
    pid,
    startedAt: `${bootId}:${fields[19]}`,
    parentPid: Number(fields[1]),
    isZombie: fields[0] === 'Z' || fields[0] === 'X',
  };
}

function readPsStatus(pid: number): ProcessStatus {
  const [state = '', parentPid, ...startedAt] = ps('-o', 'stat=,ppid=,lstart=', '-p', String(pid))
    .trim()
    .split(/\s+/);
  return {
    pid,
    startedAt: startedAt.join(' '),
    parentPid: Number(parentPid),
    isZombie: state.startsWith('Z'),
  };
}

function ps(...args: string[]): string {
  return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
