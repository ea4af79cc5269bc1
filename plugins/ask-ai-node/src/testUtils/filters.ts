import assert from 'node:assert/strict';
import type { SearchFilter } from 'backstage-plugin-ask-ai-common';
import type { IVectorStore } from '../vectorStore';
import { at, idsOf, PETSTORE, sample, samples } from './samples';
import type { Suite } from './suite';

const CHUNKS = [
  sample('api-docs', { entityId: 'api:default/petstore', vector: at(10) }),
  sample('api-team', { entityId: 'api:team-a/petstore', vector: at(20) }),
  sample('component-catalog', { entityId: PETSTORE, source: 'catalog', vector: at(30) }),
  sample('component-docs', { entityId: PETSTORE, vector: at(40) }),
  sample('component-team', { entityId: 'component:team-a/web', source: 'catalog', vector: at(50) }),
  sample('no-reference', { entityId: 'petstore', vector: at(60) }),
];

/** Ids of the hits in their order, which is that of the angles above. */
async function find(store: IVectorStore, filter: SearchFilter, topK = 10): Promise<string[]> {
  return idsOf(await store.search(at(0), topK, filter));
}

export function describeFilters({ describe, test }: Suite): void {
  describe('filters', () => {
    test('each field keeps the hits that have one of its values', async store => {
      await store.storeBatch(CHUNKS);
      assert.deepEqual(await find(store, { entityIds: ['api:default/petstore', 'petstore'] }), [
        'api-docs',
        'no-reference',
      ]);
      assert.deepEqual(await find(store, { kinds: ['api'] }), ['api-docs', 'api-team']);
      assert.deepEqual(await find(store, { namespaces: ['team-a'] }), [
        'api-team',
        'component-team',
      ]);
      assert.deepEqual(await find(store, { sources: ['catalog'] }), [
        'component-catalog',
        'component-team',
      ]);
      assert.equal((await find(store, { sources: ['catalog', 'techdocs'] })).length, 6);
    });

    test('kinds and namespaces are compared in any case', async store => {
      await store.storeBatch(CHUNKS);
      await store.store(sample('upper', { entityId: 'API:Team-A/Billing', vector: at(5) }));
      assert.deepEqual(await find(store, { kinds: ['API', 'Api'], namespaces: ['TEAM-A'] }), [
        'upper',
        'api-team',
      ]);
      assert.deepEqual(await find(store, { kinds: ['api'], namespaces: ['team-a'] }), [
        'upper',
        'api-team',
      ]);
    });

    test('all that a filter says must hold', async store => {
      await store.storeBatch(CHUNKS);
      const filter: SearchFilter = { kinds: ['component'], namespaces: ['default'] };
      assert.deepEqual(await find(store, filter), ['component-catalog', 'component-docs']);
      assert.deepEqual(await find(store, { ...filter, sources: ['techdocs'] }), ['component-docs']);
      assert.deepEqual(
        await find(store, { ...filter, entityIds: [PETSTORE], minSimilarity: 0.8 }),
        ['component-catalog'],
      );
      assert.deepEqual(await find(store, { ...filter, entityIds: ['petstore'] }), []);
    });

    test('an empty list matches nothing, and an empty filter everything', async store => {
      await store.storeBatch(CHUNKS);
      for (const filter of [
        { entityIds: [] },
        { kinds: [] },
        { namespaces: [] },
        { sources: [] },
        { entityIds: [PETSTORE], kinds: [] },
      ]) {
        assert.deepEqual(await find(store, filter), [], JSON.stringify(filter));
      }
      assert.equal((await find(store, {})).length, 6);
      assert.equal((await find(store, { kinds: undefined, minSimilarity: undefined })).length, 6);
    });

    test('a value that nothing has matches nothing, and one given twice counts once', async store => {
      await store.storeBatch(CHUNKS);
      assert.deepEqual(await find(store, { kinds: ['group'] }), []);
      assert.deepEqual(await find(store, { sources: ['wiki' as 'catalog'] }), []);
      assert.deepEqual(await find(store, { entityIds: ["' or true --", '%', 'PETSTORE'] }), []);
      const twice = { entityIds: [PETSTORE, PETSTORE], kinds: ['Component', 'component'] };
      assert.deepEqual(await find(store, twice), ['component-catalog', 'component-docs']);
    });

    test('minSimilarity keeps the hits that are at least as similar', async store => {
      await store.storeBatch(samples(19, index => ({ vector: at(index * 10) })));
      const similar = await store.search(at(0), 100, { minSimilarity: 0.7 });
      assert.deepEqual(
        idsOf(similar),
        samples(5).map(({ id }) => id),
      );
      assert.equal((await find(store, { minSimilarity: 0.7 }, 3)).length, 3);
      assert.equal((await find(store, { minSimilarity: -1 }, 100)).length, 19);
      assert.equal((await find(store, { minSimilarity: -0.01 }, 100)).length, 10);
      assert.deepEqual(await find(store, { minSimilarity: 1.1 }, 100), []);
    });

    test('a filter gives as many hits as match, also when 1 in 1,000 chunks does', async store => {
      // What matches is farthest from the query: an index that looks at the nearest only misses it.
      await store.storeBatch(
        samples(3_000, index => {
          const isRare = index % 1_000 === 999;
          return {
            vector: at(isRare ? 170 : index / 100),
            entityId: isRare ? 'api:rare/one' : `component:default/e${index % 100}`,
            source: isRare ? 'catalog' : 'techdocs',
          };
        }),
      );
      const filters: SearchFilter[] = [
        { entityIds: ['api:rare/one', 'api:rare/two'] },
        { kinds: ['api'] },
        { namespaces: ['rare'] },
        { sources: ['catalog'] },
      ];
      for (const filter of filters) {
        for (const topK of [1, 2, 3, 10]) {
          const hits = await find(store, filter, topK);
          assert.equal(hits.length, Math.min(topK, 3), `${JSON.stringify(filter)}, topK ${topK}`);
        }
      }
      assert.equal((await find(store, { entityIds: ['component:default/e7'] }, 50)).length, 30);
      assert.equal((await find(store, { kinds: ['component'] }, 120)).length, 120);
    });
  });
}
