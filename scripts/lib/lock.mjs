import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_INTERVAL_MS = 500;

/**
 * Runs `action` while no other process of this machine runs one under the same name. A lock whose
 * process is gone is taken over.
 *
 * @param {string} name
 * @param {{ timeoutMs: number, onWait: (pid: number) => void }} options
 * @param {() => void | Promise<void>} action
 */
export async function withLock(name, { timeoutMs, onWait }, action) {
  const file = join(
    tmpdir(),
    `ask-ai-${createHash('sha256').update(name).digest('hex').slice(0, 16)}.lock`,
  );
  const deadline = Date.now() + timeoutMs;
  let isTold = false;
  while (!acquire(file)) {
    const holder = readHolder(file);
    if (holder && Date.now() > deadline) {
      throw new Error(`Process ${holder} holds ${file} for too long: end it, or remove the file`);
    }
    if (holder && !isTold) {
      onWait(holder);
      isTold = true;
    }
    await delay(POLL_INTERVAL_MS);
  }
  try {
    await action();
  } finally {
    rmSync(file, { force: true });
  }
}

/** @param {string} file */
function acquire(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') {
      throw error;
    }
    return false;
  }
}

/**
 * The process that holds the lock; a lock of a dead one is removed.
 *
 * @param {string} file
 */
function readHolder(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    if (error.code === 'ESRCH') {
      rmSync(file, { force: true });
    }
    return undefined;
  }
}
