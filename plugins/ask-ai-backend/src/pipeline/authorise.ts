import type { BackstageCredentials, PermissionsService } from '@backstage/backend-plugin-api';
import { NotAllowedError, NotFoundError } from '@backstage/errors';
import { catalogEntityReadPermission } from '@backstage/plugin-catalog-common/alpha';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { AuthorizeResult, type BasicPermission } from '@backstage/plugin-permission-common';
import { AuthorisationUnavailableError } from '../errors';
import { nameEntity } from '../lib/entityRef';

/** Entities that the catalog is asked about in one call. */
const ENTITIES_PER_CALL = 250;

/** Entities on one page of all that the caller may read. */
const PAGE_SIZE = 1_000;

/** A decision that takes longer has failed, in milliseconds. */
const DECISION_TIMEOUT_MS = 10_000;

/** Enough to name an entity. */
const NAME_FIELDS = ['kind', 'metadata.namespace', 'metadata.name'];

/** Who decides what a caller may do and read. */
export interface AuthoriseOptions {
  permissions: PermissionsService;
  catalog: CatalogService;
}

/** What one caller may read of the catalog, for the length of one request. Never kept for another. */
export interface ReadAccess {
  /** `all` needs no check; with `none`, nothing may be shown; with `some`, each entity is asked for. */
  readonly scope: 'all' | 'some' | 'none';

  /** Those of the entities that the caller may read and that the catalog has. */
  readable(entityIds: Iterable<string>): Promise<Set<string>>;

  /** Every entity that the caller may read, in pages. */
  pages(filter: { kinds?: string[]; namespaces?: string[] }): AsyncIterable<string[]>;
}

/**
 * @throws NotAllowedError when the caller lacks the permission; AuthorisationUnavailableError when
 * nobody can tell.
 */
export async function assertAllowed(
  permission: BasicPermission,
  credentials: BackstageCredentials,
  { permissions }: Pick<AuthoriseOptions, 'permissions'>,
): Promise<void> {
  const [decision] = await decided(() => permissions.authorize([{ permission }], { credentials }));
  if (decision?.result !== AuthorizeResult.ALLOW) {
    throw new NotAllowedError(`This needs the permission ${permission.name}`);
  }
}

/**
 * Asks once what the caller may read, by the catalog's own permission.
 *
 * @throws AuthorisationUnavailableError when nobody can tell: nothing is shown then.
 */
export async function readAccessOf(
  credentials: BackstageCredentials,
  { permissions, catalog }: AuthoriseOptions,
): Promise<ReadAccess> {
  const [decision] = await decided(() =>
    permissions.authorizeConditional([{ permission: catalogEntityReadPermission }], {
      credentials,
    }),
  );
  switch (decision?.result) {
    case AuthorizeResult.ALLOW:
      return READS_ALL;
    case AuthorizeResult.CONDITIONAL:
      return readSome(credentials, catalog);
    default:
      return READS_NONE;
  }
}

/**
 * @param entityRef - in its normal form.
 * @throws NotFoundError for an entity that the catalog does not have, or that the caller may not read:
 * the two must not be told apart.
 */
export async function assertEntityReadable(
  entityRef: string,
  credentials: BackstageCredentials,
  { catalog }: Pick<AuthoriseOptions, 'catalog'>,
): Promise<void> {
  const { items } = await decided(() =>
    catalog.getEntitiesByRefs({ entityRefs: [entityRef], fields: NAME_FIELDS }, { credentials }),
  );
  if (!items[0]) {
    throw new NotFoundError(`The catalog has no entity ${entityRef}`);
  }
}

/** For the plugin itself, and for callers whom nothing is hidden from. */
export const READS_ALL: ReadAccess = {
  scope: 'all',
  readable: async entityIds => new Set(entityIds),
  pages: () => {
    throw new Error('Whoever may read everything needs no list of it.');
  },
};

const READS_NONE: ReadAccess = {
  scope: 'none',
  readable: async () => new Set(),
  async *pages() {},
};

/** The catalog applies the conditions itself, when it is asked with the caller's credentials. */
function readSome(credentials: BackstageCredentials, catalog: CatalogService): ReadAccess {
  const known = new Map<string, boolean>();

  const look = async (entityRefs: string[]) => {
    const { items } = await decided(() =>
      catalog.getEntitiesByRefs({ entityRefs, fields: NAME_FIELDS }, { credentials }),
    );
    entityRefs.forEach((entityRef, index) => {
      known.set(entityRef, items[index] !== undefined && items[index] !== null);
    });
  };

  return {
    scope: 'some',
    async readable(entityIds) {
      const asked = new Set(entityIds);
      const unknown = [...asked].filter(entityId => !known.has(entityId));
      for (let start = 0; start < unknown.length; start += ENTITIES_PER_CALL) {
        await look(unknown.slice(start, start + ENTITIES_PER_CALL));
      }
      return new Set([...asked].filter(entityId => known.get(entityId) === true));
    },
    async *pages({ kinds, namespaces }) {
      const filter = {
        ...(kinds && { kind: kinds }),
        ...(namespaces && { 'metadata.namespace': namespaces }),
      };
      let cursor: string | undefined;
      do {
        const page = await decided(() =>
          catalog.queryEntities(
            cursor === undefined
              ? { filter, fields: NAME_FIELDS, limit: PAGE_SIZE }
              : { cursor, fields: NAME_FIELDS, limit: PAGE_SIZE },
            { credentials },
          ),
        );
        const names = page.items.map(nameEntity);
        for (const name of names) {
          known.set(name, true);
        }
        yield names;
        cursor = page.pageInfo.nextCursor;
      } while (cursor !== undefined);
    },
  };
}

/** Whatever goes wrong while a decision is made, the caller gets no result, and no reason to guess from. */
async function decided<T>(decide: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`No decision within ${DECISION_TIMEOUT_MS} ms.`)),
      DECISION_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([decide(), late]);
  } catch (error) {
    throw undecided(error);
  } finally {
    clearTimeout(timer);
  }
}

/** @param cause - why nobody can tell what a caller may do and read. */
export function undecided(cause: unknown): AuthorisationUnavailableError {
  return new AuthorisationUnavailableError(
    'What you may do and read could not be found out: the permission backend or the catalog did not answer. Try again later.',
    { cause },
  );
}
