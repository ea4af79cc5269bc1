import assert from 'node:assert/strict';
import type { EmbeddingVector, IVectorStore } from '../vectorStore';
import { assertRejects, at, idsOf, PETSTORE, sample, samples } from './samples';
import { DIMENSIONS, type Suite } from './suite';

/** Name of a case and the embedding that no store may take. */
type BadCases = Record<string, EmbeddingVector>;

const withElement = (element: unknown) => [element as number, ...at(90).slice(1)];

const BAD_VECTORS: Record<string, ArrayLike<number>> = {
  'a zero vector': new Array<number>(DIMENSIONS).fill(0),
  'a zero typed array': new Float32Array(DIMENSIONS),
  'a vector that is zero as float32': new Array<number>(DIMENSIONS).fill(1e-50),
  NaN: withElement(Number.NaN),
  Infinity: withElement(Number.POSITIVE_INFINITY),
  '-Infinity': withElement(Number.NEGATIVE_INFINITY),
  'a number beyond float32': withElement(1e39),
  'a length that float32 arithmetic can not compare': withElement(1e30),
  null: withElement(null),
  'a string': withElement('1'),
};

const BAD_VECTOR_CASES = Object.fromEntries(
  Object.entries(BAD_VECTORS).map(([name, vector]) => [name, sample('bad', { vector })]),
);

const BAD_ID_CASES: BadCases = {
  'an empty id': sample('', { chunkId: 'bad' }),
  'an empty chunk id': sample('bad', { chunkId: '' }),
  'an empty entity id': sample('bad', { entityId: '' }),
  'an id of 3,000 characters': sample('x'.repeat(3_000), { chunkId: 'bad' }),
  'a chunk id of 3,000 characters': sample('bad', { chunkId: 'x'.repeat(3_000) }),
  'an entity id of 3,000 characters': sample('bad', { entityId: 'x'.repeat(3_000) }),
  'a chunk id that is not the id of the chunk': {
    ...sample('bad'),
    documentChunk: sample('other').documentChunk,
  },
};

const TEXT_FIELDS: Record<string, (text: string) => EmbeddingVector> = {
  id: text => sample(text, { chunkId: 'bad' }),
  chunkId: text => sample('bad', { chunkId: text }),
  entityId: entityId => sample('bad', { entityId }),
  entityName: entityName => sample('bad', { entityName }),
  content: content => sample('bad', { content }),
  title: title => sample('bad', { title }),
  location: location => sample('bad', { location }),
};

const UNSTORABLE_TEXTS: Record<string, unknown> = {
  'a NUL character': 'a\0b',
  'a high surrogate without its low one': 'a\ud83d b',
  'a low surrogate without its high one': 'a \ude80b',
  'a number': 7,
  null: null,
};

const BAD_TEXT_CASES: BadCases = Object.fromEntries(
  Object.entries(TEXT_FIELDS).flatMap(([field, make]) =>
    Object.entries(UNSTORABLE_TEXTS).map(([what, text]) => [
      `${what} in ${field}`,
      make(text as string),
    ]),
  ),
);

const BAD_METADATA_CASES: BadCases = {
  'an unknown source': sample('bad', { source: 'wiki' as 'techdocs' }),
  'a negative chunkIndex': sample('bad', { chunkIndex: -1 }),
  'a fractional chunkIndex': sample('bad', { chunkIndex: 1.5 }),
  'a chunkIndex beyond 32 bits': sample('bad', { chunkIndex: 2 ** 31 }),
  'a totalChunks that is NaN': sample('bad', { totalChunks: Number.NaN }),
  'a negative totalChunks': sample('bad', { totalChunks: -1 }),
};

export function describeInvalidInput({ describe, test }: Suite): void {
  describe('input that can not be stored', () => {
    test('a vector without a direction is refused before anything is written', store =>
      assertAllRefused(store, BAD_VECTOR_CASES));

    test('an empty, an over-long or a contradicting id is refused before anything is written', store =>
      assertAllRefused(store, BAD_ID_CASES));

    test('text that UTF-8 or PostgreSQL has no form for is refused in every field', store =>
      assertAllRefused(store, BAD_TEXT_CASES));

    test('an unknown source or a position that is no count is refused', store =>
      assertAllRefused(store, BAD_METADATA_CASES));

    test('a vector of another dimension is refused before anything is written', async store => {
      for (const vector of [[], [1], at(0, DIMENSIONS - 1), at(0, DIMENSIONS + 1)]) {
        await assertRefused(store, sample('bad', { vector }), 'DimensionMismatchError');
      }
      assert.equal(await store.count(), 0);
    });

    test('a bad chunk at the end of 5,000 leaves nothing of the batch', async store => {
      const batch = samples(5_000);
      (batch[4_999] as EmbeddingVector).vector = at(0, DIMENSIONS - 1);
      await assertRejects(() => store.storeBatch(batch), 'DimensionMismatchError');
      assert.equal(await store.count(), 0);
      assert.deepEqual(await store.stats(), { vectorCount: 0, entityCount: 0 });
    });

    test('a bad chunk in the middle of a batch leaves what was there as it was', async store => {
      await store.storeBatch(samples(3, () => ({ content: 'old' })));
      const batch = samples(9, () => ({ content: 'new', vector: at(180) }));
      (batch[4] as EmbeddingVector).vector = new Float32Array(DIMENSIONS);
      await assertRejects(() => store.storeBatch(batch), 'InvalidVectorError');
      const hits = await store.search(at(0), 10);
      assert.deepEqual(
        hits.map(({ documentChunk }) => documentChunk.content),
        ['old', 'old', 'old'],
      );
    });

    test('a query vector that can not be compared is refused', async store => {
      await store.store(sample('chunk-1'));
      for (const [what, vector] of Object.entries(BAD_VECTORS)) {
        const expected = { statusCode: 400, what };
        await assertRejects(() => store.search(vector, 5), 'InvalidVectorError', expected);
        await assertRejects(
          () => store.searchRanked({ mode: 'hybrid', text: 'content', vector, topK: 5 }),
          'InvalidVectorError',
          expected,
        );
      }
      await assertRejects(() => store.search([1, 0], 5), 'DimensionMismatchError');
      await assertRejects(
        () => store.searchRanked({ mode: 'vector', text: '', vector: [1, 0], topK: 5 }),
        'DimensionMismatchError',
      );
    });

    test('a search that needs the vector of the question is refused without it', async store => {
      await store.store(sample('chunk-1'));
      for (const mode of ['hybrid', 'vector'] as const) {
        await assertRejects(
          () => store.searchRanked({ mode, text: 'content', topK: 5 }),
          'InvalidVectorError',
          { statusCode: 400, what: mode },
        );
      }
    });
  });
}

/** Alone and between good ones; what was there before stays. */
async function assertAllRefused(store: IVectorStore, cases: BadCases): Promise<void> {
  await store.store(sample('neighbour'));
  for (const [what, bad] of Object.entries(cases)) {
    await assertRefused(store, bad, 'InvalidVectorError', what);
  }
  assert.deepEqual(idsOf(await store.search(at(0), 10)), ['neighbour']);
  assert.equal(await store.count(PETSTORE), 1);
}

async function assertRefused(
  store: IVectorStore,
  bad: EmbeddingVector,
  name: string,
  what?: string,
): Promise<void> {
  await assertRejects(() => store.store(bad), name, { statusCode: 400, what });
  const batch = [sample('good-1'), bad, sample('good-2')];
  await assertRejects(() => store.storeBatch(batch), name, { statusCode: 400, what });
}
