import assert from 'node:assert/strict';
import type { EmbeddingSpace } from '../vectorStore';
import { assertRejects, at, idsOf, sample, samples } from './samples';
import { DIMENSIONS, type Suite } from './suite';

const SPACE: EmbeddingSpace = {
  provider: 'ollama',
  model: 'all-minilm',
  dimensions: DIMENSIONS,
  chunkerVersion: 1,
};

export function describeEmbeddingSpace({ describe, test }: Suite): void {
  describe('embedding space', () => {
    test('a new store has none, and keeps the one that it is given', async store => {
      assert.equal(await store.embeddingSpace(), undefined);
      await store.useEmbeddingSpace(SPACE);
      assert.deepEqual(await store.embeddingSpace(), SPACE);
      await store.store(sample('a'));
      await store.useEmbeddingSpace(SPACE);
      assert.deepEqual(await store.embeddingSpace(), SPACE);
      assert.equal(await store.count(), 1);
    });

    test('an empty store takes a space with its dimensions', async store => {
      await store.useEmbeddingSpace(SPACE);
      for (const dimensions of [16, 4]) {
        const space = { ...SPACE, model: `model-${dimensions}`, dimensions };
        await store.useEmbeddingSpace(space);
        assert.deepEqual(await store.embeddingSpace(), space);
        assert.equal(store.dimensions, dimensions);
      }
      await assertRejects(() => store.store(sample('a')), 'DimensionMismatchError');
      await store.store(sample('a', { vector: at(0, 4) }));
      assert.deepEqual(idsOf(await store.search(at(0, 4), 5)), ['a']);
      await store.clear();
      await store.useEmbeddingSpace(SPACE);
      assert.equal(store.dimensions, DIMENSIONS);
    });

    test('a filled store refuses another provider, model or dimension', async store => {
      await store.useEmbeddingSpace(SPACE);
      await store.storeBatch(samples(2));
      const others = [{ provider: 'openai' }, { model: 'nomic-embed-text' }, { dimensions: 4 }];
      for (const other of others) {
        await assertRejects(
          () => store.useEmbeddingSpace({ ...SPACE, ...other }),
          'EmbeddingSpaceMismatchError',
          { statusCode: 503, what: JSON.stringify(other) },
        );
      }
      assert.deepEqual(await store.embeddingSpace(), SPACE);
      assert.equal(store.dimensions, DIMENSIONS);
      assert.equal((await store.search(at(0), 5)).length, 2);
    });

    test('another version of the chunker is no other space', async store => {
      await store.useEmbeddingSpace(SPACE);
      await store.store(sample('a'));
      await store.useEmbeddingSpace({ ...SPACE, chunkerVersion: 2 });
      assert.deepEqual(await store.embeddingSpace(), { ...SPACE, chunkerVersion: 2 });
      assert.equal(await store.count(), 1);
    });

    test('a filled store without a space takes one of its dimensions only', async store => {
      await store.store(sample('a'));
      await assertRejects(
        () => store.useEmbeddingSpace({ ...SPACE, dimensions: 4 }),
        'EmbeddingSpaceMismatchError',
      );
      assert.equal(await store.embeddingSpace(), undefined);
      await store.useEmbeddingSpace(SPACE);
      assert.deepEqual(await store.embeddingSpace(), SPACE);
      assert.equal(await store.count(), 1);
    });

    test('claims at the same time agree', async store => {
      await Promise.all(Array.from({ length: 8 }, () => store.useEmbeddingSpace(SPACE)));
      assert.deepEqual(await store.embeddingSpace(), SPACE);
      assert.equal(store.dimensions, DIMENSIONS);
    });
  });
}
