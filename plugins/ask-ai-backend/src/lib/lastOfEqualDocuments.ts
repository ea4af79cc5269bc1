import type { DocumentKey } from 'backstage-plugin-ask-ai-node';

/**
 * Each document once, the last of equal ones, by entity id and source: whoever locks them one after the
 * other does so in the same order as everybody else.
 */
export function lastOfEqualDocuments<T extends DocumentKey>(documents: readonly T[]): T[] {
  const byKey = new Map(
    documents.map(document => [`${document.entityId}\0${document.source}`, document]),
  );
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, document]) => document);
}
