import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import { describe, expect, it } from 'vitest';
import { DimensionMismatchError, InvalidVectorError } from '../errors';
import {
  entityKind,
  entityNamespace,
  isStorable,
  normaliseFilter,
  toStorable,
  validateEmbeddings,
  validateQueryVector,
  validateRankedQuery,
  validateReplacement,
} from './validation';

const KEY = { entityId: 'component:default/petstore', source: 'techdocs' as const };

function embedding(vector: ArrayLike<number> = [1, 2], id = 'a'): EmbeddingVector {
  const metadata = { source: KEY.source, chunkIndex: 0, totalChunks: 1 };
  const documentChunk = { id, entityId: KEY.entityId, entityName: 'P', content: 'text', metadata };
  return { id, chunkId: id, vector, documentChunk };
}

function errorOf(call: () => void): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected an error');
}

// What is refused, and that nothing is written then, is tested with every store: describeVectorStore.
describe('validateEmbeddings', () => {
  it('accepts a batch that can be stored', () => {
    validateEmbeddings([], 2);
    validateEmbeddings([embedding(), embedding(Float32Array.of(-1e-15, 0), 'b')], 2);
  });

  it('names the position, what is wrong and what to do, but never the vector', () => {
    const error = errorOf(() =>
      validateEmbeddings([embedding(), embedding([0.123, Number.NaN])], 2),
    );
    expect(error).toBeInstanceOf(InvalidVectorError);
    expect(error).toMatchObject({ index: 1, statusCode: 400 });
    expect(error.message).toBe(
      'Embedding 1: vector must hold finite float32 numbers, element 1 is not one (NaN, Infinity or too large): embed the text again.',
    );
  });

  it('tells the dimensions that were expected and received', () => {
    const error = errorOf(() => validateEmbeddings([embedding(), embedding([1, 2, 3])], 2));
    expect(error).toBeInstanceOf(DimensionMismatchError);
    expect(error).toMatchObject({ index: 1, expected: 2, received: 3, statusCode: 400 });
  });

  it('names the field of a text that can not be stored', () => {
    const bad = embedding();
    bad.documentChunk.metadata.title = 'a\0b';
    expect(() => validateEmbeddings([bad], 2)).toThrow(/^Embedding 0: title holds a NUL character/);
  });

  it('takes ids of 1,024 bytes and no more', () => {
    validateEmbeddings([embedding([1, 2], 'é'.repeat(512))], 2);
    expect(() => validateEmbeddings([embedding([1, 2], 'é'.repeat(513))], 2)).toThrow(
      'id has 1026 bytes, at most 1024 can be indexed',
    );
  });

  it('refuses titles, names and locations beyond any heading, but no long text', () => {
    const long = 'x'.repeat(32_769);
    const { documentChunk, ...rest } = embedding();
    const { metadata } = documentChunk;
    validateEmbeddings([{ ...rest, documentChunk: { ...documentChunk, content: long } }], 2);
    for (const bad of [
      { ...documentChunk, entityName: long },
      { ...documentChunk, metadata: { ...metadata, title: long } },
      { ...documentChunk, metadata: { ...metadata, location: long } },
    ]) {
      expect(() => validateEmbeddings([{ ...rest, documentChunk: bad }], 2)).toThrow('shorten it');
    }
  });

  it('refuses what is no embedding at all with the typed error', () => {
    const noObject = undefined as unknown as EmbeddingVector;
    const noChunk = { ...embedding(), documentChunk: undefined } as unknown as EmbeddingVector;
    const noVector = { ...embedding(), vector: undefined } as unknown as EmbeddingVector;
    for (const bad of [noObject, noChunk, noVector]) {
      expect(() => validateEmbeddings([bad], 2)).toThrow(InvalidVectorError);
    }
  });
});

describe('validateQueryVector and validateRankedQuery', () => {
  it('speak of the vector without a position', () => {
    expect(() => validateQueryVector([0, 0], 2)).toThrow(/^vector is zero/);
    expect(() => validateQueryVector([1], 2)).toThrow('Vector: expected 2 dimensions, got 1');
  });

  it('allow a question without a vector in mode keyword only', () => {
    validateRankedQuery({ mode: 'keyword', text: '', topK: 1 }, 2);
    expect(() => validateRankedQuery({ mode: 'hybrid', text: '', topK: 1 }, 2)).toThrow(
      'mode hybrid needs the vector of the question',
    );
  });
});

describe('validateReplacement', () => {
  it('names both documents when a chunk belongs to another one', () => {
    const stranger = { ...embedding().documentChunk, entityId: 'api:default/other' };
    const replacement = { ...KEY, fingerprint: '1', embedded: [], kept: [stranger] };
    expect(() => validateReplacement(replacement, 2)).toThrow(
      'chunk a belongs to the techdocs document of api:default/other, not to the techdocs document of component:default/petstore',
    );
  });
});

describe('normaliseFilter', () => {
  it('makes a string an entity id and no filter an empty one', () => {
    expect(normaliseFilter('A:b/c')).toEqual({ entityIds: ['A:b/c'] });
    expect(normaliseFilter(undefined)).toEqual({});
    expect(normaliseFilter('a\0')).toEqual({ entityIds: [] });
  });

  it('lower-cases kinds and namespaces, not entity ids, and drops repetitions', () => {
    expect(
      normaliseFilter({
        entityIds: ['A:b/C', 'A:b/C', '\ud800'],
        kinds: ['API', 'api', 'Component'],
        namespaces: ['Default', 'DEFAULT'],
        sources: ['catalog', 'catalog'],
        minSimilarity: 0,
      }),
    ).toEqual({
      entityIds: ['A:b/C'],
      kinds: ['api', 'component'],
      namespaces: ['default'],
      sources: ['catalog'],
      minSimilarity: 0,
    });
  });

  it('keeps empty lists and leaves out what was not given', () => {
    const normalised = normaliseFilter({ kinds: [], sources: undefined });
    expect(Object.keys(normalised)).toEqual(['kinds']);
  });
});

describe('entityKind and entityNamespace', () => {
  it.each([
    ['Component:Default/Petstore', 'component', 'default'],
    ['component:petstore', 'component', ''],
    ['default/petstore', '', ''],
    ['petstore', '', ''],
    ['a/b:c', 'a/b', ''],
    ['a:b:c/d', 'a', 'b'],
    [':/x', '', ''],
    ['k:n/x/y', 'k', 'n'],
  ])('of "%s" are "%s" and "%s"', (entityId, kind, namespace) => {
    expect([entityKind(entityId), entityNamespace(entityId)]).toEqual([kind, namespace]);
  });
});

describe('toStorable', () => {
  it('replaces what no stored text can have, and nothing else', () => {
    expect(toStorable('a\0b\ud83dc\ude80')).toBe('a b c ');
    expect(toStorable('a 🚀 b')).toBe('a 🚀 b');
    expect(isStorable(toStorable('\ud83d\0\ude80'))).toBe(true);
  });
});
