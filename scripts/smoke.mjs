// Does what a new user does: starts the backend with an empty index, asks a question, stops it, and
// starts it again. Uses a free port and a temporary store, so it may run beside `npm start`.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureInstalled } from './lib/ensureInstalled.mjs';
import { root } from './lib/root.mjs';
import { fail, say } from './lib/say.mjs';

/** The static token in app-config.yaml. */
const TOKEN = 'ask-ai-local-development-only';

/** catalog-info.yaml: this project in its own sample catalog. */
const OWN_ENTITY = { id: 'component:default/ask-ai', docs: '/docs/default/component/ask-ai/' };
const QUESTION = 'How do I roll back a migration?';

/** The first run took 20 s on two cores; a loaded machine is given more. */
const FIRST_RUN_TIMEOUT_MS = 5 * 60_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_INTERVAL_MS = 200;

/** A condition that does not hold ends the wait, a refused connection does not. */
class SmokeFailure extends Error {}

const directory = mkdtempSync(join(tmpdir(), 'ask-ai-smoke-'));
let backend;
try {
  await ensureInstalled();
  const url = await writeOverlay();

  backend = startBackend();
  const first = await waitForRun(url, undefined);
  check(first.vectorCount > 0, `the index is empty after the first run: ${JSON.stringify(first)}`);
  say(`first run: ${first.vectorCount} chunks of ${first.entityCount} entities`);
  checkAnswer(ask(url));
  await stopBackend();

  const startedAt = Date.now();
  backend = startBackend();
  await waitForHealth(url, FIRST_RUN_TIMEOUT_MS);
  // Told, not checked: how long it takes depends on what else the machine does.
  say(`second start: healthy after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  const second = await waitForRun(url, first.lastRun.id);
  const { embedded } = second.lastRun.chunks;
  check(embedded === 0, `the second run embedded ${embedded} chunks again, expected 0`);
  check(
    second.vectorCount === first.vectorCount,
    `${second.vectorCount} chunks after the second run, ${first.vectorCount} before`,
  );
  await stopBackend();
  say('smoke test passed');
} catch (error) {
  fail(`smoke test failed: ${error.message}`);
} finally {
  if (backend && backend.exitCode === null) {
    backend.kill('SIGTERM');
    await once(backend, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
  }
  rmSync(directory, { recursive: true, force: true });
}

/** Resolves to the URL under which the configured backend will be. JSON is YAML. */
async function writeOverlay() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const overlay = {
    backend: { baseUrl: url, listen: { host: '127.0.0.1', port } },
    techdocs: { publisher: { local: { publishDirectory: join(directory, 'techdocs') } } },
    askAi: { vectorStore: { embedded: { directory: join(directory, 'store') } } },
  };
  writeFileSync(join(directory, 'overlay.yaml'), JSON.stringify(overlay));
  return url;
}

/** What `npm start` runs; npm itself would answer a signal with an exit code of its own. */
function startBackend() {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const [command, ...args] = scripts.start.split(' ');
  say(`--- ${scripts.start}`);
  return spawn(command, [...args, '--config', join(directory, 'overlay.yaml')], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

async function stopBackend() {
  const exited = once(backend, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
  backend.kill('SIGTERM');
  const [code, signal] = await exited;
  check(code === 0, `expected exit code 0 after SIGTERM, got ${code ?? signal}`);
  backend = undefined;
}

/**
 * Resolves to the status once a run has completed that is not `previousId`.
 *
 * @param {string} url
 * @param {string | undefined} previousId
 */
function waitForRun(url, previousId) {
  return poll(FIRST_RUN_TIMEOUT_MS, 'a completed run of the index', async () => {
    const response = await fetch(`${url}/api/ask-ai/index/status`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    check(![401, 403].includes(response.status), `the token is refused: ${response.status}`);
    if (!response.ok) {
      return undefined;
    }
    const status = await response.json();
    const { lastRun } = status;
    const isOver = status.state === 'idle' && lastRun && lastRun.id !== previousId;
    if (isOver) {
      check(lastRun.outcome === 'completed', `the run ${lastRun.outcome}: ${lastRun.reason}`);
    }
    return isOver ? status : undefined;
  });
}

/**
 * @param {string} url
 * @param {number} timeoutMs
 */
function waitForHealth(url, timeoutMs) {
  return poll(timeoutMs, 'GET /api/ask-ai/health with status 200', async () => {
    const response = await fetch(`${url}/api/ask-ai/health`);
    await response.body?.cancel();
    return response.ok || undefined;
  });
}

/** @param {string} url */
function ask(url) {
  const { status, stdout, stderr } = spawnSync(
    'npm',
    ['run', '--silent', 'ask', '--', '--json', '--url', url, QUESTION],
    { cwd: root, encoding: 'utf8', shell: false },
  );
  check(status === 0, `npm run ask ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

function checkAnswer({ answer, found, sources }) {
  check(found, `"${QUESTION}" is not answered: ${answer}`);
  const own = sources.find(
    ({ documentChunk }) =>
      documentChunk.entityId === OWN_ENTITY.id &&
      documentChunk.metadata.location?.startsWith(OWN_ENTITY.docs),
  );
  check(own, `no source in ${OWN_ENTITY.docs}: ${JSON.stringify(sources)}`);
  say(`answered from ${own.documentChunk.metadata.location}`);
}

function check(condition, message) {
  if (!condition) {
    throw new SmokeFailure(message);
  }
}

/**
 * @template T
 * @param {number} timeoutMs
 * @param {string} what
 * @param {() => Promise<T | undefined>} attempt
 * @returns {Promise<T>}
 */
async function poll(timeoutMs, what, attempt) {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    check(backend.exitCode === null, `the backend ended with exit code ${backend.exitCode}`);
    try {
      const result = await attempt();
      if (result !== undefined) {
        return result;
      }
    } catch (error) {
      if (error instanceof SmokeFailure) {
        throw error;
      }
    }
    await delay(POLL_INTERVAL_MS);
  }
  throw new SmokeFailure(`no ${what} within ${timeoutMs / 1000} s`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
