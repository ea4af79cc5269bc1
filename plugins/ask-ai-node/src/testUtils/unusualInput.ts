import assert from 'node:assert/strict';
import { at, idsOf, PETSTORE, sample, samples } from './samples';
import type { Suite } from './suite';

/** Ids that no stored chunk can have. */
const IMPOSSIBLE_IDS = ['', 'a\0b', '\ud83d', 'x\ude80', 'x'.repeat(100_000)];

export function describeUnusualInput({ describe, test }: Suite): void {
  describe('input that finds nothing', () => {
    test('an id that no chunk can have finds nothing and removes nothing', async store => {
      await store.store(sample('chunk-1'));
      await store.replaceDocuments([
        {
          entityId: PETSTORE,
          source: 'techdocs',
          fingerprint: '1',
          embedded: [sample('chunk-1')],
          kept: [],
        },
      ]);
      for (const entityId of IMPOSSIBLE_IDS) {
        const key = { entityId, source: 'techdocs' as const };
        assert.equal(await store.count(entityId), 0);
        assert.deepEqual(await store.search(at(0), 5, entityId), []);
        assert.deepEqual(await store.search(at(0), 5, { entityIds: [entityId] }), []);
        assert.deepEqual(
          await store.search(at(0), 5, { kinds: [`${entityId}x`], namespaces: [entityId] }),
          [],
        );
        assert.equal(await store.document(key), undefined);
        assert.deepEqual(await store.chunkIds(key), new Set());
        assert.deepEqual(await store.chunks(key, { from: 0, to: 9 }), []);
        assert.deepEqual(await store.removeDocument(key), { removed: 0 });
        await store.clear(entityId);
      }
      assert.equal(await store.count(), 1);
      assert.ok(await store.document({ entityId: PETSTORE, source: 'techdocs' }));
    });

    test('a question with characters that no text can have is searched for its words', async store => {
      await store.storeBatch([sample('a', { content: 'rollback' }), sample('b')]);
      for (const text of ['\0rollback\0', 'rollback \ud83d', '\ude80 rollback']) {
        const query = { mode: 'keyword' as const, text, topK: 5 };
        assert.deepEqual(idsOf(await store.searchRanked(query)), ['a']);
      }
    });

    test('a question with the signs of query languages is searched for its words', async store => {
      await store.storeBatch([sample('a', { content: "the owner's rollback" }), sample('b')]);
      for (const text of [
        "rollback'",
        "'rollback' & | ! ( <-> :* \\",
        '"rollback" -NOT OR AND *',
        'rollback:*A \\\\ %_ $1 ; --',
        '((rollback',
        'rollback \u0001\u2028\ufeff\uffff',
      ]) {
        const hits = await store.searchRanked({ mode: 'hybrid', text, vector: at(0), topK: 5 });
        assert.equal(idsOf(hits)[0], 'a', text);
      }
    });

    test('topK is cut to a whole number, and none or less finds nothing', async store => {
      await store.storeBatch(samples(4));
      const expected = new Map([
        [2.9, 2],
        [1, 1],
        [0.5, 0],
        [0, 0],
        [-1, 0],
        [Number.NEGATIVE_INFINITY, 0],
        [Number.NaN, 0],
        [Number.POSITIVE_INFINITY, 4],
        [Number.MAX_SAFE_INTEGER, 4],
      ]);
      for (const [topK, count] of expected) {
        assert.equal((await store.search(at(0), topK)).length, count, `search, topK ${topK}`);
        assert.equal((await store.search(at(0), topK, PETSTORE)).length, count, `topK ${topK}`);
        for (const mode of ['hybrid', 'vector', 'keyword'] as const) {
          const query = { mode, text: 'content', vector: at(0), topK };
          assert.equal((await store.searchRanked(query)).length, count, `${mode}, topK ${topK}`);
        }
      }
    });
  });
}
