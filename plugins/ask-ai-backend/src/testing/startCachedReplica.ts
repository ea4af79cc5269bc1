import { resolve } from 'node:path';
import { pollUntil } from '../../../../tests/services/poll';
import { freePort } from '../../../../tests/services/ports';
import type { CacheFigures } from '../lib/cache/TwoTierCache';
import { type RunningProgram, runFile } from './childProcess';

/** Of a backend on a machine that is busy with other things, in milliseconds. */
const START_MS = 60_000;

/** A backend in a process of its own that writes and searches versions of one document. */
export interface CachedReplica {
  process: RunningProgram;
  /** Resolves when it answers. */
  started(): Promise<void>;
  write(version: number): Promise<void>;
  /** The version that a search finds; different numbers make different searches. */
  search(topK: number): Promise<number>;
  figures(): Promise<CacheFigures>;
}

/** Starts one; several start at the same time. */
export async function startCachedReplica(options: {
  databaseUrl: string;
  /** `backend.cache`. */
  cache: { store: 'redis' | 'valkey'; connection: string };
  ttlSeconds: number;
}): Promise<CachedReplica> {
  const port = await freePort();
  const config = {
    backend: {
      baseUrl: `http://127.0.0.1:${port}`,
      listen: { host: '127.0.0.1', port },
      database: { client: 'better-sqlite3', connection: ':memory:' },
      cache: options.cache,
    },
    askAi: {
      cache: { enabled: true, ttlSeconds: options.ttlSeconds },
      vectorStore: {
        type: 'postgresql',
        postgresql: { connectionString: options.databaseUrl, maxConnections: 4 },
      },
    },
  };
  const program = resolve(__dirname, 'cachedReplica.ts');
  // Backstage leaves uncaught exceptions to the test runner where this says `test`.
  const env = { NODE_ENV: 'production' };
  const running = runFile(program, [JSON.stringify(config)], env);
  const call = async <T>(path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${port}/api/ask-ai${path}`, { method });
    if (!response.ok) {
      throw new Error(`${path}: ${response.status} ${await response.text()}`);
    }
    return (await response.json()) as T;
  };
  const search = async (topK: number) => (await call<{ seen: number }>(`/search/${topK}`)).seen;
  return {
    process: running,
    started: async () => {
      let reason: unknown;
      const answers = () => search(1).then(() => true);
      await pollUntil('A backend that searches', START_MS, () =>
        answers().catch(error => {
          reason = error;
          return undefined;
        }),
      ).catch(error => {
        throw new Error(`${error.message}: ${reason}`, { cause: reason });
      });
    },
    write: async version => {
      await call(`/versions/${version}`, 'POST');
    },
    search,
    figures: () => call<CacheFigures>('/figures'),
  };
}
