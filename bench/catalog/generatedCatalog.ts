import { setTimeout as delay } from 'node:timers/promises';
import {
  coreServices,
  createBackendModule,
  type DatabaseService,
} from '@backstage/backend-plugin-api';
import {
  catalogProcessingExtensionPoint,
  type EntityProvider,
} from '@backstage/plugin-catalog-node';
import { generateEntities } from './entities';

/** How far the catalog is, in entities. */
export interface CatalogProgress {
  processed: number;
  stitched: number;
  /** To be stitched, for the first time or anew. */
  waiting: number;
}

export interface GeneratedCatalogOptions {
  entities: number;
  onProgress(progress: CatalogProgress): void;
  onReady(): void;
  /** What the catalog does not accept, or why its database can't be read. */
  onFailure(error: unknown): void;
}

const NAME = 'generated-entities';
const POLL_INTERVAL_MS = 1_000;

/** Gives the catalog its entities, and looks each second how far it is, until they can all be read. */
export function generatedCatalog(options: GeneratedCatalogOptions) {
  return createBackendModule({
    pluginId: 'catalog',
    moduleId: NAME,
    register(env) {
      env.registerInit({
        deps: {
          catalog: catalogProcessingExtensionPoint,
          database: coreServices.database,
          lifecycle: coreServices.lifecycle,
        },
        async init({ catalog, database, lifecycle }) {
          catalog.addEntityProvider(provider(options.entities));
          catalog.setOnProcessingErrorHandler(({ errors }) => options.onFailure(errors[0]));
          lifecycle.addStartupHook(() => {
            watch(database, options).catch(options.onFailure);
          });
        },
      });
    },
  });
}

function provider(count: number): EntityProvider {
  return {
    getProviderName: () => NAME,
    connect: async connection => {
      const entities = generateEntities(count).map(entity => ({ entity, locationKey: NAME }));
      await connection.applyMutation({ type: 'full', entities });
    },
  };
}

async function watch(
  database: DatabaseService,
  { entities, onProgress, onReady }: GeneratedCatalogOptions,
): Promise<void> {
  for (;;) {
    const progress = await readProgress(database);
    onProgress(progress);
    const { processed, stitched, waiting } = progress;
    if (processed === entities && stitched === entities && waiting === 0) {
      onReady();
      return;
    }
    await delay(POLL_INTERVAL_MS);
  }
}

/**
 * From the tables of the catalog itself: its HTTP interface tells of entities that can be read, and not
 * that one of them will change because a relation to it was found.
 */
async function readProgress(database: DatabaseService): Promise<CatalogProgress> {
  const client = await database.getClient();
  const count = async (table: string, column: string) => {
    const [row] = await client(table).count({ count: column });
    return Number(row?.count);
  };
  return {
    processed: await count('refresh_state', 'processed_entity'),
    stitched: await count('final_entities', 'final_entity'),
    waiting: await count('stitch_queue', 'entity_ref'),
  };
}
