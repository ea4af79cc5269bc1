import type { CatalogProgress } from './generatedCatalog';

/** What the process of the catalog tells the one that started it. */
export type CatalogMessage =
  | ({ type: 'progress' } & CatalogProgress)
  | { type: 'ready' }
  | { type: 'failed'; reason: string };
