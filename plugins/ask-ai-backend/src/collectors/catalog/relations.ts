import { DEFAULT_NAMESPACE, type Entity, parseEntityRef } from '@backstage/catalog-model';

/** What an entity is related to, in one way. */
export interface RelatedEntities {
  /** `ownedBy`, `dependencyOf`, or the type of a plugin's own relation. */
  type: string;
  /** References as the catalog has them, in its order, each once. */
  targets: string[];
}

/** Where a declaration lies whose relation the catalog has not worked out (yet). */
const DECLARATIONS: { type: string; field: string; defaultKind: string }[] = [
  { type: 'ownedBy', field: 'owner', defaultKind: 'Group' },
  { type: 'partOf', field: 'system', defaultKind: 'System' },
  { type: 'partOf', field: 'domain', defaultKind: 'Domain' },
  { type: 'dependsOn', field: 'dependsOn', defaultKind: 'Component' },
  { type: 'dependencyOf', field: 'dependencyOf', defaultKind: 'Component' },
  { type: 'providesApi', field: 'providesApis', defaultKind: 'API' },
  { type: 'consumesApi', field: 'consumesApis', defaultKind: 'API' },
];

/** The relations of an entity in both directions, grouped by type in the order of their first. */
export function relationsOf(entity: Entity): RelatedEntities[] {
  const byType = new Map<string, Set<string>>();
  const add = (type: string, target: string) => {
    byType.set(type, (byType.get(type) ?? new Set()).add(target));
  };
  for (const { type, targetRef } of entity.relations ?? []) {
    add(type, targetRef);
  }
  const known = new Set(byType.keys());
  for (const { type, field, defaultKind } of DECLARATIONS) {
    const declared = known.has(type) ? [] : [entity.spec?.[field]].flat();
    for (const target of declared.filter(each => typeof each === 'string')) {
      add(type, qualified(target, entity, defaultKind));
    }
  }
  return [...byType].map(([type, targets]) => ({ type, targets: [...targets] }));
}

function qualified(target: string, { metadata }: Entity, defaultKind: string): string {
  try {
    const { kind, namespace, name } = parseEntityRef(target, {
      defaultKind,
      defaultNamespace: metadata.namespace ?? DEFAULT_NAMESPACE,
    });
    return `${kind}:${namespace}/${name}`;
  } catch {
    // Whatever it is, it was meant as the name of something.
    return target;
  }
}
