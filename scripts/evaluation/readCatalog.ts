import type { CatalogEntity } from './catalogQuestions';

/** Entities in one page. */
const PAGE_SIZE = 500;

/** The entities of a running backend, with their relations. */
export async function readCatalog(target: {
  url: string;
  token?: string;
}): Promise<CatalogEntity[]> {
  const entities: CatalogEntity[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({
      limit: String(PAGE_SIZE),
      fields: 'kind,metadata,spec,relations',
      ...(cursor && { cursor }),
    });
    const response = await fetch(`${target.url}/api/catalog/entities/by-query?${query}`, {
      headers: target.token ? { authorization: `Bearer ${target.token}` } : {},
    });
    if (!response.ok) {
      throw new Error(`The catalog at ${target.url} answered with status ${response.status}.`);
    }
    const page = (await response.json()) as {
      items: CatalogEntity[];
      pageInfo: { nextCursor?: string };
    };
    entities.push(...page.items);
    cursor = page.pageInfo.nextCursor;
  } while (cursor !== undefined);
  return entities;
}
