import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { root } from './root.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * One Ctrl-C comes twice, from the terminal and from npm. A program takes the second for impatience
 * and breaks off, so repeats within this time are dropped, in milliseconds.
 */
const REPEAT_MS = 500;

/** How often to see whether npm is still there, in milliseconds. */
const PARENT_POLL_MS = 500;

/**
 * Runs Node in the root of the repository and resolves to its exit code. Signals are passed on, once
 * each; the program ends with this process, however that ends.
 *
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env] added to the environment
 * @returns {Promise<number>}
 */
export function runNode(args, env = {}) {
  const guard = fileURLToPath(new URL('exitWithParent.mjs', import.meta.url));
  const child = spawn(process.execPath, ['--import', guard, ...args], {
    cwd: root,
    // A group of its own, else a signal to the whole group would reach it beside the one passed on.
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...env, ASK_AI_PARENT_PID: String(process.pid) },
  });
  const stopForwarding = forwardSignals(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      stopForwarding();
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

/** @param {import('node:child_process').ChildProcess} child */
function forwardSignals(child) {
  let lastAt = 0;
  const forward = signal => {
    const now = Date.now();
    if (now - lastAt > REPEAT_MS) {
      lastAt = now;
      child.kill(signal);
    }
  };
  for (const signal of SIGNALS) {
    process.on(signal, forward);
  }
  const stopWatching = watchNpm(() => forward('SIGTERM'));
  return () => {
    stopWatching();
    for (const signal of SIGNALS) {
      process.off(signal, forward);
    }
  };
}

/**
 * npm passes a SIGTERM on to the shell that it runs scripts in, and a shell ends without passing it
 * further. Then this process has another parent.
 *
 * @param {() => void} onGone
 */
function watchNpm(onGone) {
  if (!process.env.npm_lifecycle_event) {
    return () => undefined;
  }
  const parentPid = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parentPid) {
      clearInterval(timer);
      onGone();
    }
  }, PARENT_POLL_MS);
  return () => clearInterval(timer);
}
