import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pollUntil } from '../../tests/services/poll';
import type { PackedPackage } from './packPackages';

const ROOT = resolve(__dirname, '../..');

/** Its own; the ranges are those that our packages are tested with. */
const BACKSTAGE_PACKAGES = ['@backstage/backend-defaults', '@backstage/plugin-catalog-backend'];

const STOP_TIMEOUT_MS = 30_000;

interface CommandResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A Backstage backend of somebody who has nothing of ours but the tarballs. */
export class Adopter {
  private backend: ChildProcess | undefined;

  /**
   * @param folder - empty.
   * @param variables - what `app-config.yaml` takes from the environment.
   */
  static create(
    folder: string,
    packages: readonly PackedPackage[],
    variables: Record<string, string>,
  ): Adopter {
    cpSync(join(__dirname, 'adopter'), folder, { recursive: true });
    cpSync(join(folder, 'types.ts'), join(folder, 'types.cts'));
    const { devDependencies } = JSON.parse(
      readFileSync(join(ROOT, 'plugins/ask-ai-backend/package.json'), 'utf8'),
    );
    const manifest = {
      name: 'adopter',
      private: true,
      type: 'module',
      dependencies: Object.fromEntries([
        ...BACKSTAGE_PACKAGES.map(name => [name, devDependencies[name]]),
        ...packages.map(({ name, tarball }) => [name, `file:${tarball}`]),
      ]),
    };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, undefined, 2));
    // What the programs print is looked at, so it has no colours.
    const { FORCE_COLOR: _, ...env } = process.env;
    const settings = { NODE_ENV: 'production', NO_COLOR: '1' };
    return new Adopter(folder, { ...env, ...settings, ...variables });
  }

  private constructor(
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Runs a program in the folder and waits for its end. */
  run(program: string, ...args: string[]): CommandResult {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      cwd: this.folder,
      env: this.env,
      encoding: 'utf8',
      maxBuffer: 100_000_000,
    });
    if (error) {
      throw error;
    }
    return { status, stdout, stderr };
  }

  /** As `run`, for what must end with exit code 0; resolves to what it printed. */
  succeed(program: string, ...args: string[]): string {
    const { status, stdout, stderr } = this.run(program, ...args);
    if (status !== 0) {
      throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
    }
    return stdout;
  }

  /** Starts the backend with plain Node; its log goes to a file. */
  start(...args: string[]): void {
    const log = createWriteStream(join(this.folder, 'backend.log'));
    this.backend = spawn(process.execPath, ['index.js', ...args], {
      cwd: this.folder,
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.backend.stdout?.pipe(log);
    this.backend.stderr?.pipe(log);
  }

  /** Asks until the answer is not `undefined`, as long as the backend runs. */
  async poll<T>(what: string, timeoutMs: number, ask: () => Promise<T | undefined>): Promise<T> {
    return pollUntil(what, timeoutMs, async () => {
      if (this.backend?.exitCode !== null) {
        throw new Error(`the backend ended with ${this.backend?.exitCode}:\n${this.readLog()}`);
      }
      try {
        return await ask();
      } catch (error) {
        // Until it listens.
        if (error instanceof TypeError && error.message === 'fetch failed') {
          return undefined;
        }
        throw error;
      }
    });
  }

  readLog(): string {
    return readFileSync(join(this.folder, 'backend.log'), 'utf8');
  }

  writeFile(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** @returns the exit code. */
  async stop(): Promise<number | null> {
    const { backend } = this;
    this.backend = undefined;
    if (!backend || backend.exitCode !== null) {
      return backend?.exitCode ?? null;
    }
    const exited = once(backend, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
    backend.kill('SIGTERM');
    const [code] = await exited;
    return code;
  }
}
