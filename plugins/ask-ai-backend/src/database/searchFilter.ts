import type { SearchFilter } from 'backstage-plugin-ask-ai-common';
import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { embeddings } from './schema';

/** The WHERE for what is given, and only for that: a condition that may be NULL hides the indexes. */
export function filterCondition(filter: SearchFilter): SQL | undefined {
  return and(
    oneOf(embeddings.entityId, filter.entityIds),
    oneOf(embeddings.entityKind, filter.kinds),
    oneOf(embeddings.entityNamespace, filter.namespaces),
    oneOf(embeddings.source, filter.sources),
  );
}

function oneOf(column: PgColumn, values: string[] | undefined): SQL | undefined {
  if (values === undefined) {
    return undefined;
  }
  if (values.length === 0) {
    return sql`false`;
  }
  return values.length === 1 ? eq(column, values[0]) : inArray(column, values);
}

/** The entity, when the filter names one and nothing else that narrows. */
export function onlyEntityId(filter: SearchFilter): string | undefined {
  const { entityIds, kinds, namespaces, sources } = filter;
  return entityIds?.length === 1 && !kinds && !namespaces && !sources ? entityIds[0] : undefined;
}
