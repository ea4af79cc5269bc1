import { createBackend } from '@backstage/backend-defaults';
import { WinstonLogger } from '@backstage/backend-defaults/rootLogger';
import { coreServices, createServiceFactory } from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import { catalogConfig } from './config';
import { generatedCatalog } from './generatedCatalog';
import type { CatalogMessage } from './messages';

/**
 * A Backstage backend with nothing but a catalog of generated entities. Takes their number and a port of
 * 127.0.0.1; tells its parent how far it is, and ends with it.
 */
const [entities = Number.NaN, port = Number.NaN] = process.argv.slice(2).map(Number);

const tell = (message: CatalogMessage) => process.send?.(message);

const rootConfig = createServiceFactory({
  service: coreServices.rootConfig,
  deps: {},
  factory: () => new ConfigReader(catalogConfig({ entities, port })),
});

/** Backstage's own reads the schemas of all packages first, to keep secrets out of its log. */
const rootLogger = createServiceFactory({
  service: coreServices.rootLogger,
  deps: {},
  factory: () => WinstonLogger.create({ level: 'warn' }),
});

async function startCatalog(): Promise<void> {
  const backend = createBackend();
  backend.add(rootConfig);
  backend.add(rootLogger);
  backend.add(import('@backstage/plugin-catalog-backend'));
  backend.add(
    generatedCatalog({
      entities,
      onProgress: progress => tell({ type: 'progress', ...progress }),
      onReady: () => tell({ type: 'ready' }),
      onFailure: fail,
    }),
  );
  await backend.start();
}

function fail(error: unknown): void {
  tell({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
}

process.once('disconnect', () => process.exit());
startCatalog().catch(fail);
