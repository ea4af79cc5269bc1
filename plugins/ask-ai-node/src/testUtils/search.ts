import assert from 'node:assert/strict';
import { createRandom } from './random';
import { assertSimilarity, at, cosine, idsOf, PETSTORE, sample, samples } from './samples';
import { DIMENSIONS, type Suite } from './suite';

export function describeSearch({ describe, test }: Suite): void {
  describe('search', () => {
    test('an empty store has no hits', async store => {
      assert.deepEqual(await store.search(at(0), 10), []);
      assert.deepEqual(await store.search(at(0), 10, PETSTORE), []);
    });

    test('the nearest comes first, with its cosine similarity from 1 to -1', async store => {
      const angles = [180, 60, 0, 90, 135, 30];
      await store.storeBatch(angles.map(angle => sample(`at-${angle}`, { vector: at(angle) })));
      const hits = await store.search(at(0), 10);
      assert.deepEqual(idsOf(hits), ['at-0', 'at-30', 'at-60', 'at-90', 'at-135', 'at-180']);
      [0, 30, 60, 90, 135, 180].forEach((angle, index) => {
        assertSimilarity(hits[index]?.similarity, Math.cos((angle * Math.PI) / 180));
      });
    });

    test('the length of a vector makes no difference', async store => {
      const lengths = [1e-6, 0.5, 1, 250, 1e6];
      await store.storeBatch(
        lengths.map(length =>
          sample(`length-${length}`, { vector: at(60).map(element => element * length) }),
        ),
      );
      for (const length of lengths) {
        const hits = await store.search(
          at(0).map(element => element * length),
          10,
        );
        assert.equal(hits.length, lengths.length);
        for (const { similarity } of hits) {
          assertSimilarity(similarity, 0.5);
        }
      }
    });

    test('hits of equal similarity come by chunk id', async store => {
      const random = createRandom(1);
      const batch = samples(20, index => ({ vector: at(index < 10 ? 45 : 10) }));
      await store.storeBatch(random.shuffle(batch));
      const hits = idsOf(await store.search(at(0), 20));
      const [near, far] = [batch.slice(10), batch.slice(0, 10)];
      assert.deepEqual(
        hits,
        [...near, ...far].map(({ id }) => id),
      );
    });

    test('topK limits the hits to the best', async store => {
      await store.storeBatch(samples(10, index => ({ vector: at(index * 10) })));
      assert.deepEqual(idsOf(await store.search(at(0), 1)), ['chunk-0000']);
      assert.deepEqual(idsOf(await store.search(at(90), 2)), ['chunk-0009', 'chunk-0008']);
    });

    test('a topK beyond the count gives every chunk once', async store => {
      const batch = samples(150, index => ({ vector: at(index) }));
      await store.storeBatch(batch);
      for (const topK of [100, 150, 151, 5_000]) {
        const hits = idsOf(await store.search(at(0), topK));
        assert.deepEqual(
          hits,
          batch.slice(0, topK).map(({ id }) => id),
        );
      }
    });

    test('a filter that is a string is one entity id, compared as a whole', async store => {
      const entityIds = [
        PETSTORE,
        `${PETSTORE}-v2`,
        'component:default/pet',
        'api:default/petstore',
      ];
      await store.storeBatch(samples(40, index => ({ entityId: entityIds[index % 4] })));
      const hits = await store.search(at(0), 100, PETSTORE);
      assert.equal(hits.length, 10);
      assert.ok(hits.every(({ documentChunk }) => documentChunk.entityId === PETSTORE));
      assert.equal((await store.search(at(0), 3, PETSTORE)).length, 3);
      for (const unknown of ['component:default/', 'component:default/%', 'petstore', '_']) {
        assert.deepEqual(await store.search(at(0), 10, unknown), []);
      }
    });

    test('the hits among random vectors are the nearest', async store => {
      const random = createRandom(2);
      const batch = samples(300, () => ({ vector: random.vector(DIMENSIONS) }));
      await store.storeBatch(batch);
      const queries = Array.from({ length: 20 }, () => random.vector(DIMENSIONS));
      let found = 0;
      for (const query of queries) {
        const byId = new Map(batch.map(({ id, vector }) => [id, cosine(query, vector)]));
        const nearest = [...byId].sort((a, b) => b[1] - a[1]).slice(0, 10);
        const hits = await store.search(query, 10);
        assert.equal(hits.length, 10);
        for (const { documentChunk, similarity } of hits) {
          assertSimilarity(similarity, byId.get(documentChunk.id) ?? Number.NaN);
        }
        const ids = new Set(idsOf(hits));
        found += nearest.filter(([id]) => ids.has(id)).length;
      }
      // An approximate index may miss a few, even of so few rows.
      assert.ok(found >= 0.95 * 10 * queries.length, `${found} of ${10 * queries.length} found`);
    });

    test('a store of 1,536 dimensions works alike', async store => {
      assert.equal(store.dimensions, 1_536);
      await store.storeBatch(samples(3, index => ({ vector: at(index * 60, 1_536) })));
      const hits = await store.search(at(0, 1_536), 2);
      assert.deepEqual(idsOf(hits), ['chunk-0000', 'chunk-0001']);
      assertSimilarity(hits[1]?.similarity, 0.5);
    }, 1_536);
  });
}
