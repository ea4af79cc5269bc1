import assert from 'node:assert/strict';
import { at, collect, idsOf, PETSTORE, sample, samples } from './samples';
import type { Suite } from './suite';

export function describeClearing({ describe, test }: Suite): void {
  describe('clear, count and stats', () => {
    test('clear without an entity removes chunks and records, and the store works on', async store => {
      await store.storeBatch(samples(5, index => ({ entityId: `component:default/e${index}` })));
      await store.replaceDocuments([
        {
          entityId: PETSTORE,
          source: 'techdocs',
          fingerprint: '1',
          embedded: [sample('of-document')],
          kept: [],
        },
      ]);
      await store.clear();
      assert.equal(await store.count(), 0);
      assert.deepEqual(await store.search(at(0), 10), []);
      assert.deepEqual(await collect(store.export()), []);
      assert.deepEqual(await collect(store.documents()), []);
      await store.clear();
      await store.store(sample('new'));
      assert.deepEqual(idsOf(await store.search(at(0), 10)), ['new']);
    });

    test('clear of an entity removes its chunks and records only', async store => {
      const other = 'component:default/petstore-2';
      for (const entityId of [PETSTORE, other]) {
        for (const source of ['catalog', 'techdocs'] as const) {
          await store.replaceDocuments([
            {
              entityId,
              source,
              fingerprint: '1',
              embedded: [sample(`${entityId} ${source}`, { entityId, source })],
              kept: [],
            },
          ]);
        }
      }
      await store.clear(PETSTORE);
      assert.equal(await store.count(PETSTORE), 0);
      assert.equal(await store.count(other), 2);
      assert.deepEqual(
        (await collect(store.documents())).map(({ entityId, source }) => [entityId, source]),
        [
          [other, 'catalog'],
          [other, 'techdocs'],
        ],
      );
      assert.equal((await store.search(at(0), 10)).length, 2);
    });

    test('clear of an entity that is not there, or of the empty id, removes nothing', async store => {
      await store.storeBatch(samples(3));
      for (const entityId of ['', 'component:default/unknown', '%', 'Component:default/petstore']) {
        await store.clear(entityId);
      }
      assert.equal(await store.count(), 3);
    });

    test('count and stats tell chunks and distinct entities', async store => {
      assert.deepEqual(await store.stats(), { vectorCount: 0, entityCount: 0 });
      assert.equal(await store.count(), 0);
      await store.storeBatch(
        samples(10, index => ({ entityId: `component:default/e${index % 3}` })),
      );
      assert.deepEqual(await store.stats(), { vectorCount: 10, entityCount: 3 });
      assert.equal(await store.count(), 10);
      assert.equal(await store.count('component:default/e0'), 4);
      assert.equal(await store.count('component:default/e'), 0);
      await store.clear('component:default/e0');
      assert.deepEqual(await store.stats(), { vectorCount: 6, entityCount: 2 });
    });
  });
}
