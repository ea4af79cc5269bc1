/** `search/search_index.json` as MkDocs writes it; what is not needed is left out. */
export interface SearchIndex {
  config?: Record<string, unknown>;
  docs: SearchIndexEntry[];
}

export interface SearchIndexEntry {
  /** Of a page `guide/setup/`, of a section `guide/setup/#install`. */
  location: string;
  title: string;
  text: string;
}

/** `undefined` for JSON that is no search index. */
export function parseSearchIndex(json: unknown): SearchIndex | undefined {
  if (!isRecord(json) || !Array.isArray(json.docs)) {
    return undefined;
  }
  return {
    config: isRecord(json.config) ? json.config : undefined,
    docs: json.docs
      .filter(isRecord)
      .flatMap(({ location, title, text }) =>
        typeof location === 'string'
          ? [{ location, title: textOf(title), text: textOf(text) }]
          : [],
      ),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
