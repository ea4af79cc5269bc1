import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pollUntil } from './poll';
import { freePort } from './ports';
import { childPids, identifyProcess, signal } from './processes';
import {
  type Command,
  createServiceFolder,
  type ServiceFolder,
  type ServicePrograms,
} from './programs';
import { type ResourceRecord, recordResource } from './records';

/** Starting covers crash recovery of a loaded server on a busy machine, in milliseconds. */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

/** Another program may take the port between finding it free and listening on it. */
const PORT_ATTEMPTS = 5;

/** How a service is run. */
export interface ServiceDefinition {
  /** For messages. */
  name: string;
  programs: ServicePrograms;
  /** Runs once, before the first start. */
  prepare?(folder: ServiceFolder): Promise<void>;
  /** Runs before every start. */
  configure?(folder: ServiceFolder, port: number): Promise<void>;
  command(folder: ServiceFolder, port: number): Command;
  /** Whether it answers; rejections count as no. */
  isReady(port: number): Promise<boolean>;
}

/**
 * A server program as a child of this process, on a port of 127.0.0.1 and in a folder of its own.
 * It is stopped (`stop`, `kill`), running, or paused; `close` ends it from any state and removes the
 * folder. Should this process be killed, the server ends with it (Linux), and the next run removes
 * the rest.
 */
export class ServiceProcess {
  static async start(definition: ServiceDefinition): Promise<ServiceProcess> {
    const folder = createServiceFolder(definition.programs);
    const record = recordResource({ directory: folder.host });
    const service = new ServiceProcess(definition, folder, record, await freePort());
    try {
      await definition.prepare?.(folder);
      await service.startOnFreePort();
      return service;
    } catch (error) {
      await service.close();
      throw error;
    }
  }

  private child: ChildProcess | undefined;

  private constructor(
    private readonly definition: ServiceDefinition,
    readonly folder: ServiceFolder,
    private readonly record: ResourceRecord,
    private servicePort: number,
  ) {}

  /** The same over all starts. */
  get port(): number {
    return this.servicePort;
  }

  /** @throws Error when it is not running. */
  get pid(): number {
    const pid = this.child?.pid;
    if (pid === undefined) {
      throw new Error(`${this.definition.name} is not running`);
    }
    return pid;
  }

  get isRunning(): boolean {
    return this.child !== undefined;
  }

  /** All that the server printed, over all starts. */
  readLog(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Resolves once it answers. */
  async start(): Promise<void> {
    if (this.child) {
      throw new Error(`${this.definition.name} is running already`);
    }
    await this.definition.configure?.(this.folder, this.servicePort);
    const child = this.spawn();
    await pollUntil(`${this.definition.name} answers`, START_TIMEOUT_MS, async () => {
      if (this.child !== child) {
        throw new Error(`${this.definition.name} ended at its start:\n${this.lastLines()}`);
      }
      return (await this.answers()) || undefined;
    });
  }

  /** Asks it to end and resolves once it has. */
  async stop(how: NodeJS.Signals): Promise<void> {
    if (this.child) {
      signal(this.pid, how);
      await this.ended();
    }
  }

  /** Ends it and its children with SIGKILL: a crash. Resolves once all are gone. */
  async kill(): Promise<void> {
    if (!this.child) {
      return;
    }
    const family = this.family();
    for (const pid of family) {
      signal(pid, 'SIGKILL');
    }
    await this.ended();
    await pollUntil(`${this.definition.name}'s processes end`, STOP_TIMEOUT_MS, () =>
      family.some(pid => identifyProcess(pid)) ? undefined : true,
    );
  }

  /** Stops it and its children with SIGSTOP: it hangs, and its port still takes connections. */
  pause(): void {
    signal(this.pid, 'SIGSTOP');
    for (const pid of this.family()) {
      signal(pid, 'SIGSTOP');
    }
  }

  resume(): void {
    for (const pid of this.family().reverse()) {
      signal(pid, 'SIGCONT');
    }
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder.host, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    this.record.remove();
  }

  private get logFile(): string {
    return join(this.folder.host, 'log');
  }

  private async startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.start();
        return;
      } catch (error) {
        const isPortTaken = /address already in use/i.test(this.lastLines());
        if (!isPortTaken || attempt === PORT_ATTEMPTS) {
          throw error;
        }
        this.servicePort = await freePort();
      }
    }
  }

  private spawn(): ChildProcess {
    const { file, args } = this.definition.command(this.folder, this.servicePort);
    const log = openSync(this.logFile, 'a');
    const child = spawn(file, args, { cwd: '/', stdio: ['ignore', log, log] });
    closeSync(log);
    this.child = child;
    // Where the system can't end a child with its parent, this covers all ends but kill -9.
    const endWithParent = () => child.kill('SIGKILL');
    process.once('exit', endWithParent);
    const forget = () => {
      process.off('exit', endWithParent);
      if (this.child === child) {
        this.child = undefined;
      }
    };
    child.once('exit', forget);
    child.once('error', forget);
    const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
    if (identity) {
      const server = { ...identity, mark: this.folder.inside };
      this.record.update({ directory: this.folder.host, server });
    }
    return child;
  }

  private async answers(): Promise<boolean> {
    try {
      return await this.definition.isReady(this.servicePort);
    } catch {
      return false;
    }
  }

  private family(): number[] {
    return [this.pid, ...childPids(this.pid)];
  }

  private async ended(): Promise<void> {
    await pollUntil(`${this.definition.name} ends`, STOP_TIMEOUT_MS, () =>
      this.child ? undefined : true,
    );
  }

  private lastLines(): string {
    return this.readLog().trimEnd().split('\n').slice(-10).join('\n');
  }
}
