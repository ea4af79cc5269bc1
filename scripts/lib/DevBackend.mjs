import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './root.mjs';

/** The static token in app-config.yaml. */
const TOKEN = 'ask-ai-local-development-only';

/** The first run took 20 s on two cores; a loaded machine is given more. */
const FIRST_RUN_TIMEOUT_MS = 5 * 60_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_INTERVAL_MS = 200;

/** Something is not as it must be: ends a wait, which a refused connection does not. */
export class CheckFailure extends Error {}

/** @type {(condition: unknown, message: string) => void} */
export function check(condition, message) {
  if (!condition) {
    throw new CheckFailure(message);
  }
}

/** What `npm start` runs, on a free port and with a configuration over that of the repository. */
export class DevBackend {
  #child;

  /** @param {string} directory gets the configuration file. */
  static async create(directory) {
    const port = await freePort();
    return new DevBackend(directory, port);
  }

  constructor(directory, port) {
    this.directory = directory;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.configFile = join(directory, 'overlay.yaml');
  }

  /** The configuration from the next start on. JSON is YAML. */
  configure(askAi) {
    const overlay = {
      backend: { baseUrl: this.url, listen: { host: '127.0.0.1', port: this.port } },
      techdocs: { publisher: { local: { publishDirectory: join(this.directory, 'techdocs') } } },
      askAi,
    };
    writeFileSync(this.configFile, JSON.stringify(overlay));
  }

  /** npm itself would answer a signal with an exit code of its own. */
  start(stdio = 'inherit') {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const [command, ...args] = scripts.start.split(' ');
    this.#child = spawn(command, [...args, '--config', this.configFile], {
      cwd: root,
      stdio: ['ignore', stdio, stdio],
    });
  }

  async stop() {
    const exited = once(this.#child, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
    this.#child.kill('SIGTERM');
    const [code, signal] = await exited;
    check(code === 0, `expected exit code 0 after SIGTERM, got ${code ?? signal}`);
    this.#child = undefined;
  }

  /** Ends what still runs, however the test went. */
  async close() {
    if (this.#child && this.#child.exitCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
    }
  }

  /** Resolves to the status once a run has completed that is not `previousId`. */
  waitForRun(previousId) {
    return this.#poll('a completed run of the index', async () => {
      const response = await fetch(`${this.url}/api/ask-ai/index/status`, {
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

  waitForHealth() {
    return this.#poll('GET /api/ask-ai/health with status 200', async () => {
      const response = await fetch(`${this.url}/api/ask-ai/health`);
      await response.body?.cancel();
      return response.ok || undefined;
    });
  }

  /** Runs `npm WORDS` in the repository; commands find this backend. */
  npm(words, variables = {}) {
    const { status, stdout, stderr } = spawnSync('npm', words, {
      cwd: root,
      encoding: 'utf8',
      shell: false,
      env: { ...process.env, ASK_AI_URL: this.url, ...variables },
    });
    return { status, stdout, stderr };
  }

  /** The answer to a question, by `npm run ask`. */
  ask(question) {
    const { status, stdout, stderr } = this.npm([
      ...['run', '--silent', 'ask', '--', '--json'],
      question,
    ]);
    check(status === 0, `npm run ask ended with ${status}: ${stderr}`);
    return JSON.parse(stdout);
  }

  async #poll(what, attempt) {
    const deadline = Date.now() + FIRST_RUN_TIMEOUT_MS;
    while (Date.now() < deadline) {
      const { exitCode } = this.#child;
      check(exitCode === null, `the backend ended with exit code ${exitCode}`);
      try {
        const result = await attempt();
        if (result !== undefined) {
          return result;
        }
      } catch (error) {
        if (error instanceof CheckFailure) {
          throw error;
        }
      }
      await delay(POLL_INTERVAL_MS);
    }
    throw new CheckFailure(`no ${what} within ${FIRST_RUN_TIMEOUT_MS / 1000} s`);
  }
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
