import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { identifyProcess, type ProcessIdentity } from './processes';
import {
  cacheDirectory,
  type Resource,
  reapStaleResources,
  recordResource,
  SERVICE_FOLDER_PREFIX,
} from './records';

const DEAD: ProcessIdentity = { pid: 2 ** 30, startedAt: 'before' };

let cache: string;
let server: ChildProcess;

beforeEach(async () => {
  cache = mkdtempSync(join(tmpdir(), 'ask-ai-records-test-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
  server = spawn(process.execPath, ['--eval', 'setInterval(() => 0, 1000)', 'mark-of-this-test']);
  await once(server, 'spawn');
});

afterEach(() => {
  vi.unstubAllEnvs();
  server.kill('SIGKILL');
  rmSync(cache, { recursive: true });
});

function leaveRecord(owner: ProcessIdentity, resource: Resource): void {
  mkdirSync(join(cacheDirectory(), 'running'), { recursive: true });
  writeFileSync(
    join(cacheDirectory(), 'running', 'left.json'),
    JSON.stringify({ owner, resource }),
  );
}

function makeServiceFolder(name = `${SERVICE_FOLDER_PREFIX}x`): string {
  const directory = join(cache, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'file'), '');
  return directory;
}

function runningServer(): ProcessIdentity {
  const identity = identifyProcess(server.pid ?? 0);
  if (!identity) {
    throw new Error('The server of the test does not run');
  }
  return identity;
}

it('ends the server of a killed run and removes its folder and the record', async () => {
  const directory = makeServiceFolder();
  leaveRecord(DEAD, { directory, server: { ...runningServer(), mark: 'mark-of-this-test' } });
  const exited = once(server, 'exit');
  reapStaleResources();
  expect(await exited).toEqual([null, 'SIGKILL']);
  expect(existsSync(directory)).toBe(false);
  expect(readdirSync(join(cacheDirectory(), 'running'))).toEqual([]);
});

it.each<[string, Partial<ProcessIdentity & { mark: string }>]>([
  ['started at another time', { startedAt: 'before' }],
  ['has another command line', { mark: 'mark-of-another-test' }],
])('does not end a process with the same id that %s', (_, difference) => {
  const recorded = { ...runningServer(), mark: 'mark-of-this-test', ...difference };
  leaveRecord(DEAD, { server: recorded });
  reapStaleResources();
  expect(server.killed).toBe(false);
  expect(identifyProcess(server.pid ?? 0)).toBeDefined();
});

it('does not touch what belongs to a run that is under way', () => {
  const directory = makeServiceFolder();
  const record = recordResource({
    directory,
    server: { ...runningServer(), mark: 'mark-of-this-test' },
  });
  reapStaleResources();
  expect(existsSync(directory)).toBe(true);
  expect(identifyProcess(server.pid ?? 0)).toBeDefined();
  record.remove();
  expect(readdirSync(join(cacheDirectory(), 'running'))).toEqual([]);
});

it('removes no folder that is not named as one of a service', () => {
  const directory = makeServiceFolder('precious');
  leaveRecord(DEAD, { directory });
  reapStaleResources();
  expect(existsSync(directory)).toBe(true);
});

it('survives a record that was cut short', () => {
  leaveRecord(DEAD, {});
  writeFileSync(join(cacheDirectory(), 'running', 'cut.json'), '{"owner":');
  reapStaleResources();
  expect(readdirSync(join(cacheDirectory(), 'running'))).toEqual([]);
});
