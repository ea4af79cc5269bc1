import type {
  AuthService,
  DiscoveryService,
  LoggerService,
  RootConfigService,
  UrlReaderService,
} from '@backstage/backend-plugin-api';
import { CATALOG_FILTER_EXISTS } from '@backstage/catalog-client';
import type { Entity } from '@backstage/catalog-model';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import type {
  CollectedDocument,
  CollectOptions,
  Collector,
  DocumentContent,
} from 'backstage-plugin-ask-ai-node';
import {
  type EntitySelection,
  entityIdOf,
  entityNameOf,
  normaliseRef,
  readEntities,
  routeOf,
} from './entities';
import { fingerprintOf } from './fingerprint';
import { mapInOrder } from './mapInOrder';
import { MarkdownSource } from './techdocs/MarkdownSource';
import { sectionsOfSearchIndex } from './techdocs/siteSections';
import { TechDocsClient } from './techdocs/TechDocsClient';

/** Says where the documentation of an entity lies. */
const DOCS_ANNOTATION = 'backstage.io/techdocs-ref';
/** Says that an entity shows the documentation of another one. */
const SHOWN_DOCS_ANNOTATION = 'backstage.io/techdocs-entity';

/** What a site needs of an entity; a page of whole entities would be ten times as large. */
const FIELDS = ['apiVersion', 'kind', 'metadata', 'spec.profile'];

/** Requests to the TechDocs backend under way; each is answered from a file or an object store. */
const CONCURRENCY = 8;

/** Raised when the same site gives other sections: every site is read anew then. */
const FORMAT_VERSION = 1;

export interface TechDocsCollectorOptions extends EntitySelection {
  catalog: CatalogService;
  auth: AuthService;
  discovery: DiscoveryService;
  logger: LoggerService;
  reader: UrlReaderService;
  /** The one place outside of ConfigService that reads it: TechDocs' preparers need `integrations`. */
  config: RootConfigService;
  /** The one of the platform by default. */
  fetch?: typeof fetch;
  /** For one file of a site. */
  timeoutMs?: number;
}

/**
 * The documentation of entities as documents, one an entity: from the search index of the published
 * site, else from the Markdown behind it. An entity that only shows another one's documentation has
 * none of its own.
 */
export class TechDocsCollector implements Collector {
  readonly source = 'techdocs';
  private readonly client: TechDocsClient;
  private readonly markdown: MarkdownSource;
  private readonly isCaseSensitive: boolean;

  static create(options: TechDocsCollectorOptions): TechDocsCollector {
    return new TechDocsCollector(options);
  }

  private constructor(private readonly options: TechDocsCollectorOptions) {
    this.client = TechDocsClient.create(options);
    this.markdown = MarkdownSource.create(options);
    this.isCaseSensitive =
      options.config.getOptionalBoolean('techdocs.legacyUseCaseSensitiveTripletPaths') ?? false;
  }

  async *collect({ entityRef, signal }: CollectOptions): AsyncGenerator<CollectedDocument> {
    const { catalog, auth, logger, kinds, excludedKinds, filter } = this.options;
    const entities = readEntities({
      catalog,
      auth,
      selection: { kinds, excludedKinds, filter },
      annotations: [{ [`metadata.annotations.${DOCS_ANNOTATION}`]: CATALOG_FILTER_EXISTS }],
      fields: FIELDS,
      entityRefs: entityRef === undefined ? undefined : [normaliseRef(entityRef)],
      signal,
    });
    let count = 0;
    const toDocument = (entity: Entity, stop: AbortSignal) => this.documentOf(entity, stop);
    for await (const document of mapInOrder(withOwnDocs(entities), toDocument, {
      concurrency: CONCURRENCY,
      signal,
    })) {
      count++;
      yield document;
    }
    logger.debug(`Found the documentation of ${count} entities`);
  }

  private async documentOf(entity: Entity, signal: AbortSignal): Promise<CollectedDocument> {
    const site = this.siteOf(entity);
    const tag = await this.client.buildTag(site, signal);
    const entityName = entityNameOf(entity);
    const withName = (fingerprint: string) =>
      fingerprintOf([FORMAT_VERSION, entityName, fingerprint]);
    const known =
      tag.state === 'found'
        ? tag.content
        : tag.state === 'missing'
          ? await this.markdown.unchangedFingerprint(entity, signal)
          : undefined;
    const fingerprint = known === undefined ? undefined : withName(known);
    return {
      entityId: entityIdOf(entity),
      entityName,
      source: 'techdocs',
      fingerprint,
      load: async options => {
        if (tag.state === 'failed') {
          throw tag.error;
        }
        const content = await this.load(entity, site, options.signal);
        return {
          sections: content.sections,
          // What came with the list wins: the next list is compared with it.
          fingerprint: fingerprint ?? withName(content.fingerprint),
        };
      },
    };
  }

  private async load(entity: Entity, site: string, signal?: AbortSignal): Promise<DocumentContent> {
    const root = `/docs/${routeOf(entity)}`;
    const index = await this.client.searchIndex(site, signal);
    switch (index.state) {
      case 'found': {
        const sections = sectionsOfSearchIndex(index.content, root);
        return { sections, fingerprint: fingerprintOf(sections) };
      }
      case 'missing':
        return this.markdown.read(entity, root, signal);
      default:
        throw index.error;
    }
  }

  /** `namespace/kind/name` of the published site. */
  private siteOf(entity: Entity): string {
    const { kind, metadata } = entity;
    return this.isCaseSensitive
      ? `${metadata.namespace ?? 'default'}/${kind}/${metadata.name}`
      : routeOf(entity);
  }
}

async function* withOwnDocs(entities: AsyncIterable<Entity>): AsyncGenerator<Entity> {
  for await (const entity of entities) {
    const shown = entity.metadata.annotations?.[SHOWN_DOCS_ANNOTATION];
    if (shown === undefined || isSelf(shown, entity)) {
      yield entity;
    }
  }
}

function isSelf(entityRef: string, entity: Entity): boolean {
  try {
    return normaliseRef(entityRef) === entityIdOf(entity);
  } catch {
    // Backstage shows the entity's own documentation when the reference makes no sense.
    return true;
  }
}
