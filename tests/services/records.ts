import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import {
  childPids,
  commandLine,
  identifyProcess,
  isRunning,
  type ProcessIdentity,
  signal,
} from './processes';

/** Every folder that a test service writes to bears this name, so that nothing else is removed. */
export const SERVICE_FOLDER_PREFIX = 'ask-ai-service-';

/** What a test run started and must not outlive it. */
export interface Resource {
  /** Folder of a service, as this process sees it. */
  directory?: string;
  server?: ProcessIdentity & {
    /** Part of the server's command line that no other program has. */
    mark: string;
  };
  container?: { engine: string; id: string };
}

interface StoredRecord {
  owner: ProcessIdentity;
  resource: Resource;
}

/** A note on disk about a resource, for the next run should this one be killed. */
export interface ResourceRecord {
  update(resource: Resource): void;
  remove(): void;
}

/** Outside the checkout, so that every clone shares it and none contains it. */
export function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(base, 'ask-ai-backstage');
}

export function recordResource(resource: Resource): ResourceRecord {
  const file = join(recordsDirectory(), `${randomUUID()}.json`);
  const owner = identifyProcess(process.pid);
  if (!owner) {
    throw new Error('This process does not find itself: /proc or the ps command is missing');
  }
  const update = (next: Resource) => {
    const stored: StoredRecord = { owner, resource: next };
    writeFileSync(`${file}.new`, JSON.stringify(stored));
    renameSync(`${file}.new`, file);
  };
  update(resource);
  return { update, remove: () => rmSync(file, { force: true }) };
}

/** Ends and removes what killed runs left behind. Runs that are under way are not touched. */
export function reapStaleResources(): void {
  const directory = recordsDirectory();
  for (const name of readdirSync(directory).filter(entry => entry.endsWith('.json'))) {
    const file = join(directory, name);
    const stored = readRecord(file);
    if (stored && isRunning(stored.owner)) {
      continue;
    }
    if (stored) {
      release(stored.resource);
    }
    rmSync(file, { force: true });
  }
}

function release(resource: Resource): void {
  const { server, container, directory } = resource;
  // A process id alone proves nothing: the system gives it to another process later.
  if (server && isRunning(server) && commandLine(server.pid).includes(server.mark)) {
    for (const pid of [...childPids(server.pid), server.pid]) {
      signal(pid, 'SIGKILL');
    }
  }
  if (container) {
    spawnSync(container.engine, ['rm', '--force', '--volumes', container.id], { stdio: 'ignore' });
  }
  if (directory && basename(directory).startsWith(SERVICE_FOLDER_PREFIX)) {
    // The children of a killed server write for a moment longer.
    rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

function readRecord(file: string): StoredRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as StoredRecord;
  } catch {
    // Removed by its owner, or by another run that reaps at the same time.
    return undefined;
  }
}

function recordsDirectory(): string {
  const directory = join(cacheDirectory(), 'running');
  mkdirSync(directory, { recursive: true });
  return directory;
}
