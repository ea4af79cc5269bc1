import type { AuthService } from '@backstage/backend-plugin-api';
import type { EntityFilterQuery } from '@backstage/catalog-client';
import { type Entity, parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { CollectorError } from '../errors';

/** Locations only point at other entities; users are people, not documentation. */
export const DEFAULT_EXCLUDED_KINDS = ['Location', 'User'];

/** On an entity with the value `"false"`: it is in no source of the index. */
export const INDEX_ANNOTATION = 'ask-ai/index';

/**
 * Entities in one page. An entity with an API definition may have a megabyte, so a page of the
 * catalog's own default (500) could fill the memory. Larger pages bring no speed and are freed later, but
 * with 30 the catalog took a third longer.
 */
export const PAGE_SIZE = 60;

/** Which entities of the catalog belong in the index. */
export interface EntitySelection {
  /** Only these kinds, in any case. */
  kinds?: string[];
  /** Never these kinds; the default is `DEFAULT_EXCLUDED_KINDS`, or none when `kinds` is given. */
  excludedKinds?: string[];
  /** Only what the catalog finds by this filter. */
  filter?: EntityFilterQuery;
}

export interface EntityQuery {
  catalog: CatalogService;
  auth: AuthService;
  selection: EntitySelection;
  /** Only entities with one of these annotations. */
  annotations?: EntityFilterQuery[];
  /** Only these fields; all of them when left out. */
  fields?: string[];
  /** Only these entities. */
  entityRefs?: string[];
  signal?: AbortSignal;
}

/**
 * Entities that belong in the index, in pages, as the plugin itself may see them. Pages follow the
 * catalog's own key, which never changes, so that entities that come, go or change while the pages are
 * read neither hide nor repeat others. A page is asked for with its own token: reading may take longer
 * than a token lives.
 *
 * @throws CollectorError when the catalog can't be read to its end.
 */
export async function* readEntities(query: EntityQuery): AsyncGenerator<Entity> {
  const { selection, signal } = query;
  let reading: ReturnType<typeof readPage> | undefined = readPage(query, undefined);
  while (reading) {
    signal?.throwIfAborted();
    const { items, nextCursor }: Awaited<ReturnType<typeof readPage>> = await reading;
    // The catalog is at work while these are.
    reading = nextCursor === undefined ? undefined : readPage(query, nextCursor);
    // It is awaited with the next page; until then, its failure is not unhandled.
    reading?.catch(() => {});
    // Each is let go of before the next.
    for (let entity = items.shift(); entity; entity = items.shift()) {
      if (belongsInIndex(entity, selection)) {
        yield entity;
      }
    }
  }
}

async function readPage(
  { catalog, auth, selection, annotations, fields, entityRefs, signal }: EntityQuery,
  cursor: string | undefined,
): Promise<{ items: Entity[]; nextCursor?: string }> {
  const filter = filterFor(selection, annotations);
  try {
    const credentials = await auth.getOwnServiceCredentials();
    if (entityRefs) {
      const { items } = await catalog.getEntitiesByRefs(
        { entityRefs, fields, filter },
        { credentials },
      );
      return { items: items.filter(item => item !== undefined) };
    }
    const request = cursor === undefined ? { filter, fields } : { cursor, fields };
    const { items, pageInfo } = await catalog.queryEntities(
      { ...request, limit: PAGE_SIZE },
      { credentials },
    );
    return { items, nextCursor: pageInfo.nextCursor };
  } catch (error) {
    signal?.throwIfAborted();
    throw new CollectorError(`The catalog could not be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Every alternative of the selection with every alternative of the annotations, and the kinds. */
function filterFor(
  { kinds, filter }: EntitySelection,
  annotations: EntityFilterQuery[] = [{}],
): EntityFilterQuery | undefined {
  const alternatives = [filter ?? {}].flat().flatMap(conditions =>
    annotations.flat().map(annotation => ({
      // A kind of the filter itself is narrower; what both allow is left to `belongsInIndex`.
      ...(kinds && { kind: kinds }),
      ...conditions,
      ...annotation,
    })),
  );
  return alternatives.some(conditions => Reflect.ownKeys(conditions).length > 0)
    ? alternatives
    : undefined;
}

function belongsInIndex(
  { kind, metadata }: Entity,
  { kinds, excludedKinds = kinds ? [] : DEFAULT_EXCLUDED_KINDS }: EntitySelection,
): boolean {
  const isOneOf = (list: string[]) => list.some(each => each.toLowerCase() === kind.toLowerCase());
  return (
    (kinds === undefined || isOneOf(kinds)) &&
    !isOneOf(excludedKinds) &&
    metadata.annotations?.[INDEX_ANNOTATION]?.trim().toLowerCase() !== 'false'
  );
}

/** `component:default/petstore`. */
export function entityIdOf(entity: Entity): string {
  return stringifyEntityRef(entity).toLowerCase();
}

/** The normal form of a reference that a person typed. */
export function normaliseRef(entityRef: string): string {
  return stringifyEntityRef(parseEntityRef(entityRef)).toLowerCase();
}

/** What a person calls the entity. */
export function entityNameOf({ metadata, spec }: Entity): string {
  const profile = spec?.profile;
  const displayName =
    typeof profile === 'object' && profile !== null && 'displayName' in profile
      ? profile.displayName
      : undefined;
  return metadata.title || (typeof displayName === 'string' && displayName) || metadata.name;
}

/** `default/component/petstore`, as the routes of the portal have it. */
export function routeOf({ kind, metadata }: Entity): string {
  return `${metadata.namespace ?? 'default'}/${kind}/${metadata.name}`.toLowerCase();
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
