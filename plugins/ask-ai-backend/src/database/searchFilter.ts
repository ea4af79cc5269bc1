import type { SearchFilter } from 'backstage-plugin-ask-ai-common';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { embeddings } from './schema';

/** The keys of a filter that narrow by a column. */
export type FilterKey = 'entityIds' | 'kinds' | 'namespaces' | 'sources';

const COLUMNS: Record<FilterKey, PgColumn> = {
  entityIds: embeddings.entityId,
  kinds: embeddings.entityKind,
  namespaces: embeddings.entityNamespace,
  sources: embeddings.source,
};

/** The keys that are given, always in the same order. */
export function filterKeys(filter: SearchFilter): FilterKey[] {
  return (Object.keys(COLUMNS) as FilterKey[]).filter(key => filter[key] !== undefined);
}

/**
 * The WHERE for what is given, and only for that: a condition that may be NULL hides the indexes. Each
 * key is one array parameter: `entity_kind = any($1)`.
 */
export function filterCondition(filter: SearchFilter): SQL | undefined {
  return and(...filterKeys(filter).map(key => oneOf(key, sql.param(filter[key]))));
}

/** The same, of parameters named like the keys; `entityId` is one text. */
export function filterPlaceholders(keys: (FilterKey | 'entityId')[]): SQL | undefined {
  return and(
    ...keys.map(key =>
      key === 'entityId'
        ? eq(embeddings.entityId, sql.placeholder(key))
        : oneOf(key, sql.placeholder(key)),
    ),
  );
}

function oneOf(key: FilterKey, values: unknown): SQL {
  return sql`${COLUMNS[key]} = any(${values}::text[])`;
}

/** The entity, when the filter names one and nothing else that narrows. */
export function onlyEntityId(filter: SearchFilter): string | undefined {
  const { entityIds } = filter;
  return entityIds?.length === 1 && filterKeys(filter).length === 1 ? entityIds[0] : undefined;
}
