import { describe, expect, it } from 'vitest';
import { prefixesOf } from './purposePrefixes';

describe('prefixesOf', () => {
  it.each([
    ['nomic-embed-text', 'search_query: '],
    ['nomic-ai/nomic-embed-text-v1.5', 'search_query: '],
    ['snowflake-arctic-embed2:latest', 'query: '],
    ['snowflake-arctic-embed:335m', 'Represent this sentence for searching relevant passages: '],
    ['intfloat/multilingual-e5-large', 'query: '],
    ['all-minilm', undefined],
    ['text-embedding-3-small', undefined],
    ['bge-m3', undefined],
  ])('knows what %s wants before a question', (model, query) => {
    expect(prefixesOf(model).query).toBe(query);
  });
});
