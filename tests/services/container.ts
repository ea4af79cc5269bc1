import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { query } from './connect';
import { findOnPath } from './findOnPath';
import { pollUntil } from './poll';
import { recordResource } from './records';
import { say } from './say';

/** 0.8.4 and newer are free of the HNSW vacuum faults, 0.8.2 and newer of CVE-2026-3172. */
export const IMAGE = 'pgvector/pgvector:0.8.6-pg17-bookworm';

/** An engine that is up answers in well under a second; a hanging one is not waited for. */
const ENGINE_TIMEOUT_MS = 5_000;
const START_TIMEOUT_MS = 60_000;
/** On a slow line the 160 MB of the image take minutes. */
const PULL_TIMEOUT_MS = 600_000;

const SERVER_SETTINGS = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'max_connections=200',
];

const run = promisify(execFile);

/** A PostgreSQL server with pgvector in a container. */
export interface ContainerServer {
  url: string;
  /** Stops and removes it. */
  close(): Promise<void>;
}

/** The container engine of this machine, `undefined` when none is running. */
export async function findContainerEngine(): Promise<string | undefined> {
  for (const engine of ['docker', 'podman']) {
    const path = findOnPath(engine);
    if (path && (await isUp(path))) {
      return path;
    }
  }
  return undefined;
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startContainer(engine: string): Promise<ContainerServer> {
  await pull(engine);
  const password = randomUUID();
  const { stdout } = await run(
    engine,
    [
      'run',
      '--detach',
      '--rm',
      '--publish=127.0.0.1::5432',
      // By name alone, so that the password is in no list of processes.
      '--env=POSTGRES_PASSWORD',
      // Docker's 64 MB are too few for building an index in parallel.
      '--shm-size=1g',
      '--label=ask-ai-backstage=test',
      IMAGE,
      ...SERVER_SETTINGS.flatMap(setting => ['-c', setting]),
    ],
    { env: { ...process.env, POSTGRES_PASSWORD: password } },
  );
  const id = stdout.trim();
  const record = recordResource({ container: { engine, id } });
  // For the ends that skip close(), such as Ctrl-C; after kill -9 the next run removes it.
  const removeAtExit = () =>
    spawn(engine, ['rm', '--force', '--volumes', id], { detached: true, stdio: 'ignore' }).unref();
  process.once('exit', removeAtExit);
  const close = async () => {
    process.off('exit', removeAtExit);
    await run(engine, ['rm', '--force', '--volumes', id]);
    record.remove();
  };
  try {
    const url = `postgresql://postgres:${password}@${await publishedAddress(engine, id)}/postgres`;
    await pollUntil('PostgreSQL in the container answers', START_TIMEOUT_MS, () =>
      query(url, 'SELECT 1').catch(() => undefined),
    );
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function isUp(engine: string): Promise<boolean> {
  try {
    await run(engine, ['info'], { timeout: ENGINE_TIMEOUT_MS, killSignal: 'SIGKILL' });
    return true;
  } catch {
    return false;
  }
}

async function pull(engine: string): Promise<void> {
  try {
    await run(engine, ['image', 'inspect', IMAGE]);
  } catch {
    say(`Pulling ${IMAGE}`);
    await run(engine, ['pull', IMAGE], { timeout: PULL_TIMEOUT_MS });
  }
}

/** One line an address, such as `127.0.0.1:49153`. */
async function publishedAddress(engine: string, id: string): Promise<string> {
  const { stdout } = await run(engine, ['port', id, '5432/tcp']);
  const address = stdout.split('\n').find(line => line.startsWith('127.0.0.1:'));
  if (!address) {
    throw new Error(`${engine} published no port on 127.0.0.1 for container ${id}`);
  }
  return address.trim();
}
