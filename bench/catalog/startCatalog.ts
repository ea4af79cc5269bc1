import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { CatalogClient } from '@backstage/catalog-client';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { freePort } from '../../tests/services/ports';
import type { CatalogMessage } from './messages';

/** Between two lines of progress, in milliseconds. */
const LINE_INTERVAL_MS = 10_000;

/** What a process that fails said last, in characters. */
const MAX_OUTPUT = 4_000;

/** A Backstage backend with a catalog, in a process of its own. */
export interface RunningCatalog {
  /** Reads it by HTTP. */
  service: CatalogService;
  /** Ends the process and resolves once it is gone. */
  close(): Promise<void>;
}

/** Starts a catalog and resolves once all its generated entities can be read. */
export async function startCatalog(
  entities: number,
  tell: (line: string) => void,
): Promise<RunningCatalog> {
  const port = await freePort();
  const child = fork(join(__dirname, 'main.ts'), [`${entities}`, `${port}`], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
  const close = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  try {
    await untilReady(child, entities, tell);
    return { service: catalogAt(`http://127.0.0.1:${port}/api/catalog`), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function untilReady(
  child: ChildProcess,
  entities: number,
  tell: (line: string) => void,
): Promise<void> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', chunk => {
      output = `${output}${chunk}`.slice(-MAX_OUTPUT);
    });
  }
  let toldAt = performance.now();
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new Error(`The catalog: ${reason}\n${output}`));
    child.once('error', ({ message }) => fail(message));
    child.once('close', code => fail(`its process ended with ${code}`));
    child.on('message', (message: CatalogMessage) => {
      if (message.type === 'ready') {
        resolve();
      } else if (message.type === 'failed') {
        fail(message.reason);
      } else if (performance.now() - toldAt >= LINE_INTERVAL_MS) {
        toldAt = performance.now();
        const { processed, stitched } = message;
        tell(`the catalog has processed ${processed} of ${entities} and stitched ${stitched}`);
      }
    });
  });
}

/** As `catalogServiceRef` makes it, but without a token: this catalog lets everybody read. */
function catalogAt(baseUrl: string): CatalogService {
  const client = new CatalogClient({ discoveryApi: { getBaseUrl: async () => baseUrl } });
  const service: Pick<CatalogService, 'queryEntities' | 'getEntitiesByRefs'> = {
    queryEntities: request => client.queryEntities(request),
    getEntitiesByRefs: request => client.getEntitiesByRefs(request),
  };
  return service as CatalogService;
}
