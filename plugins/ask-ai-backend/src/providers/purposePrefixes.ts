import type { EmbedOptions } from 'backstage-plugin-ask-ai-node';

/** What a model was trained to find in front of a text, by purpose. */
export type PurposePrefixes = Partial<Record<EmbedOptions['purpose'], string>>;

const RETRIEVE_PASSAGES = 'Represent this sentence for searching relevant passages: ';

/**
 * As the cards of the models say. Without them these models find clearly less; the servers do not add
 * them. A change here is a new embedding space: what is stored must be embedded again.
 */
const PREFIXES: [model: RegExp, prefixes: PurposePrefixes][] = [
  [/^nomic-embed-text/, { document: 'search_document: ', query: 'search_query: ' }],
  [/^(multilingual-)?e5-/, { document: 'passage: ', query: 'query: ' }],
  [/^snowflake-arctic-embed-?2/, { query: 'query: ' }],
  [/^snowflake-arctic-embed/, { query: RETRIEVE_PASSAGES }],
  [/^mxbai-embed/, { query: RETRIEVE_PASSAGES }],
  [/^embeddinggemma/, { document: 'title: none | text: ', query: 'task: search result | query: ' }],
  [
    /^qwen3-embedding/,
    {
      query:
        'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:',
    },
  ],
];

/** The prefixes of a model by its name, with or without an owner and a tag: `nomic-ai/nomic-embed-text:v1.5`. */
export function prefixesOf(model: string): PurposePrefixes {
  const name = model.toLowerCase().split('/').at(-1) ?? '';
  return PREFIXES.find(([pattern]) => pattern.test(name))?.[1] ?? {};
}
