import type { AuthService, LoggerService } from '@backstage/backend-plugin-api';
import type { Entity } from '@backstage/catalog-model';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import type { CollectedDocument, CollectOptions, Collector } from 'backstage-plugin-ask-ai-node';
import { sectionsOf } from './catalog/sections';
import {
  type EntitySelection,
  entityIdOf,
  entityNameOf,
  normaliseRef,
  readEntities,
} from './entities';
import { fingerprintOf } from './fingerprint';

export interface CatalogCollectorOptions extends EntitySelection {
  catalog: CatalogService;
  auth: AuthService;
  logger: LoggerService;
}

/** The entities of the catalog as documents: one an entity, in readable prose. */
export class CatalogCollector implements Collector {
  readonly source = 'catalog';

  static create(options: CatalogCollectorOptions): CatalogCollector {
    return new CatalogCollector(options);
  }

  private constructor(private readonly options: CatalogCollectorOptions) {}

  async *collect({ entityRef, signal }: CollectOptions): AsyncGenerator<CollectedDocument> {
    const { catalog, auth, logger, ...selection } = this.options;
    const entityRefs = entityRef === undefined ? undefined : [normaliseRef(entityRef)];
    let count = 0;
    for await (const entity of readEntities({ catalog, auth, selection, entityRefs, signal })) {
      count++;
      yield documentOf(entity);
    }
    logger.debug(`Read ${count} entities from the catalog`);
  }
}

/**
 * The entity is at hand anyway, so that its content costs less than a second request for it. One that
 * no sections can be made of fails when it is loaded, so that it does not hold up the others.
 */
function documentOf(entity: Entity): CollectedDocument {
  const entityName = entityNameOf(entity);
  const document = { entityId: entityIdOf(entity), entityName, source: 'catalog' } as const;
  try {
    const sections = sectionsOf(entity);
    const fingerprint = fingerprintOf([entityName, sections]);
    return { ...document, fingerprint, load: async () => ({ sections, fingerprint }) };
  } catch (error) {
    return { ...document, load: () => Promise.reject(error) };
  }
}
