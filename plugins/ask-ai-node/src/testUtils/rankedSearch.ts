import assert from 'node:assert/strict';
import type { IVectorStore } from '../vectorStore';
import { assertSimilarity, at, idsOf, PETSTORE, sample, samples } from './samples';
import type { Suite } from './suite';

/** Chunks without the word "rollback", all of them near `at(0)`. */
const fillers = (count: number) =>
  samples(
    count,
    index => ({ vector: at(index / 10), content: `Filler number ${index}` }),
    'filler',
  );

async function fill(store: IVectorStore, ...batches: ReturnType<typeof samples>[]): Promise<void> {
  await store.storeBatch(batches.flat());
  await store.refreshStatistics();
}

export function describeRankedSearch({ describe, test }: Suite): void {
  describe('searchRanked', () => {
    test('mode vector ranks like search, with the similarity as score', async store => {
      await fill(
        store,
        samples(12, index => ({ vector: at(index * 15) })),
      );
      const hits = await store.searchRanked({ mode: 'vector', text: '', vector: at(20), topK: 8 });
      assert.deepEqual(idsOf(hits), idsOf(await store.search(at(20), 8)));
      for (const { score, similarity } of hits) {
        assertSimilarity(score, similarity);
      }
    });

    test('mode keyword ranks by words alone', async store => {
      await fill(store, fillers(5), [
        sample('both', { content: 'How a rollback of a migration works', vector: at(180) }),
        sample('one', { content: 'How a migration of the data works', vector: at(170) }),
      ]);
      const query = { mode: 'keyword' as const, text: 'rollback migration', topK: 10 };
      const hits = await store.searchRanked(query);
      assert.deepEqual(idsOf(hits), ['both', 'one']);
      assert.ok(hits[0] && hits[1] && hits[0].score > hits[1].score && hits[1].score > 0);
      assert.deepEqual(
        hits.map(({ similarity }) => similarity),
        [0, 0],
      );
      assert.deepEqual(idsOf(await store.searchRanked({ ...query, topK: 1 })), ['both']);
    });

    test('mode keyword tells the similarity when it is given the vector', async store => {
      await fill(store, [sample('a', { content: 'rollback', vector: at(60) })]);
      const [hit] = await store.searchRanked({
        mode: 'keyword',
        text: 'rollback',
        vector: at(0),
        topK: 5,
      });
      assertSimilarity(hit?.similarity, 0.5);
    });

    test('mode hybrid prefers what both words and vector find', async store => {
      await fill(store, [
        sample('nearest', { content: 'Something else', vector: at(0) }),
        sample('both', { content: 'Roll back with the rollback command', vector: at(20) }),
        sample('words', { content: 'A rollback of the release', vector: at(120) }),
        ...samples(5, index => ({ content: `Other ${index}`, vector: at(60 + index) })),
      ]);
      const query = { mode: 'hybrid' as const, text: 'rollback', vector: at(0), topK: 8 };
      const hits = await store.searchRanked(query);
      assert.equal(hits[0]?.documentChunk.id, 'both');
      assert.equal(hits.length, 8);
      for (let i = 1; i < hits.length; i++) {
        assert.ok((hits[i - 1]?.score ?? 0) >= (hits[i]?.score ?? 0), 'the best score comes first');
      }
    });

    test('mode hybrid gives a hit of the words alone its true similarity', async store => {
      await fill(store, fillers(100), [sample('words', { content: 'rollback', vector: at(150) })]);
      const query = { mode: 'hybrid' as const, text: 'rollback', vector: at(0), topK: 5 };
      const hits = await store.searchRanked(query);
      const hit = hits.find(({ documentChunk }) => documentChunk.id === 'words');
      assertSimilarity(hit?.similarity, -0.866025);
      assert.equal(hits.length, 5);
    });

    test('mode hybrid gives the nearest when no word helps', async store => {
      await fill(store, fillers(10));
      for (const text of ['', 'xylophone', '?!', 'the of and']) {
        const query = { mode: 'hybrid' as const, text, vector: at(0), topK: 3 };
        const hits = idsOf(await store.searchRanked(query));
        assert.deepEqual(hits, ['filler-0000', 'filler-0001', 'filler-0002'], text);
      }
    });

    test('a filter holds for words and vector alike', async store => {
      await fill(store, fillers(60), [
        sample('docs', { content: 'rollback', vector: at(90) }),
        sample('catalog', { content: 'rollback', vector: at(90), source: 'catalog' }),
        sample('api', { content: 'rollback', vector: at(90), entityId: 'api:team-a/petstore' }),
        sample('api-other', { content: 'other', vector: at(91), entityId: 'api:team-a/petstore' }),
      ]);
      const find = async (mode: 'hybrid' | 'keyword' | 'vector', filter: object) =>
        idsOf(
          await store.searchRanked({ mode, text: 'rollback', vector: at(0), topK: 10, filter }),
        );
      assert.deepEqual(await find('keyword', { sources: ['catalog'] }), ['catalog']);
      assert.deepEqual(await find('hybrid', { sources: ['catalog'] }), ['catalog']);
      assert.deepEqual(await find('vector', { kinds: ['API'] }), ['api', 'api-other']);
      assert.deepEqual(await find('keyword', { kinds: ['API'] }), ['api']);
      assert.deepEqual(await find('hybrid', { namespaces: ['team-a'] }), ['api', 'api-other']);
      assert.deepEqual(await find('hybrid', { entityIds: [] }), []);
      assert.equal(
        (await find('hybrid', { entityIds: [PETSTORE], kinds: ['component'] })).length,
        10,
      );
    });

    test('minSimilarity holds in every mode that has a vector', async store => {
      await fill(store, [
        sample('near', { content: 'A rollback, nearby', vector: at(10) }),
        sample('far', { content: 'A rollback, far away', vector: at(100) }),
      ]);
      const filter = { minSimilarity: 0.5 };
      const query = { text: 'rollback', topK: 5, filter };
      for (const mode of ['hybrid', 'vector', 'keyword'] as const) {
        const hits = await store.searchRanked({ ...query, mode, vector: at(0) });
        assert.deepEqual(idsOf(hits), ['near'], mode);
      }
      const hits = await store.searchRanked({ ...query, mode: 'keyword' });
      assert.deepEqual(idsOf(hits).sort(), ['far', 'near']);
    });

    test('hits of equal score come by chunk id', async store => {
      await fill(
        store,
        samples(6, index => ({ content: 'rollback', entityId: `component:default/e${index}` })),
      );
      const expected = samples(6).map(({ id }) => id);
      for (const mode of ['vector', 'keyword', 'hybrid'] as const) {
        const query = { mode, text: 'rollback', vector: at(0), topK: 6 };
        assert.deepEqual(idsOf(await store.searchRanked(query)), expected, mode);
      }
    });

    test('hits of which one is first by words and the other by vector come by chunk id', async store => {
      const near = { content: 'One rollback among a number of other words', vector: at(10) };
      const telling = { content: 'Rollback, rollback', vector: at(20) };
      for (const [a, b] of [
        [near, telling],
        [telling, near],
      ]) {
        await fill(store, [sample('a', a), sample('b', b)]);
        const query = { mode: 'hybrid' as const, text: 'rollback', vector: at(0), topK: 2 };
        const hits = await store.searchRanked(query);
        assert.deepEqual(idsOf(hits), ['a', 'b']);
        assert.equal(hits[0]?.score, hits[1]?.score);
      }
    });

    test('chunks of an entity that say the same are one hit, the best', async store => {
      await fill(store, [
        sample('a', { content: 'Use the rollback command.', vector: at(30) }),
        sample('b', { content: 'use the  ROLLBACK\n command. ', vector: at(10) }),
        sample('c', { content: 'Use another rollback command.', vector: at(50) }),
        sample('d', { content: 'The rollback of a release', vector: at(70) }),
      ]);
      const find = async (mode: 'hybrid' | 'keyword' | 'vector') =>
        idsOf(await store.searchRanked({ mode, text: 'rollback', vector: at(0), topK: 3 }));
      assert.deepEqual(await find('vector'), ['b', 'c', 'd']);
      for (const mode of ['hybrid', 'keyword'] as const) {
        const hits = await find(mode);
        assert.equal(hits.length, 3, mode);
        assert.ok(hits.includes('c') && hits.includes('d'), mode);
      }
    });

    test('chunks of two entities that say the same are two hits: a caller may read only one', async store => {
      await fill(store, [
        sample('a', { content: 'Use rollback.', entityId: 'component:default/a' }),
        sample('b', { content: 'Use rollback.', entityId: 'component:default/b' }),
      ]);
      for (const mode of ['vector', 'keyword', 'hybrid'] as const) {
        const query = { mode, text: 'rollback', vector: at(0), topK: 5 };
        assert.deepEqual(idsOf(await store.searchRanked(query)), ['a', 'b'], mode);
      }
    });
  });
}
