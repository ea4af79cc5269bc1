import { type Entity, parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import { InputError } from '@backstage/errors';

/** The name of an entity as stores hold it: `component:default/petstore`. */
export function nameEntity(entity: Entity): string {
  return toEntityId(stringifyEntityRef(entity));
}

/**
 * `Component:Petstore` and `component:default/petstore` name the same entity.
 *
 * @throws InputError for what is no entity reference.
 */
export function normaliseEntityRef(entityRef: string): string {
  try {
    return toEntityId(stringifyEntityRef(parseEntityRef(entityRef)));
  } catch {
    throw new InputError(
      `Expected an entity reference such as component:default/petstore, got ${JSON.stringify(entityRef)}`,
    );
  }
}

function toEntityId(entityRef: string): string {
  return entityRef.toLocaleLowerCase('en-US');
}
