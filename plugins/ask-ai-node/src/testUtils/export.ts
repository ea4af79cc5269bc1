import assert from 'node:assert/strict';
import { createRandom } from './random';
import { at, collect, sample, samples } from './samples';
import { DIMENSIONS, type Suite } from './suite';

export function describeExport({ describe, test }: Suite): void {
  describe('export', () => {
    test('every chunk comes once, by id, with its vector to the last bit of float32', async store => {
      const random = createRandom(3);
      const batch = samples(1_200, index => ({
        chunkId: `of-${index}`,
        vector: random.vector(DIMENSIONS),
        entityId: `component:default/e${index % 7}`,
        chunkIndex: index,
        ...(index % 2 === 0 && { title: `Title ${index}`, location: `/docs/${index}` }),
      }));
      await store.storeBatch(random.shuffle(batch));
      const exported = await collect(store.export());
      assert.deepEqual(
        exported.map(({ vector, ...rest }) => ({ ...rest, vector: Array.from(vector) })),
        batch.map(({ vector, ...rest }) => ({
          ...rest,
          vector: Array.from(Float32Array.from(vector)),
        })),
      );
    });

    test('what was exported can be stored again', async store => {
      const batch = samples(5, index => ({ vector: at(index * 7) }));
      await store.storeBatch(batch);
      const before = await collect(store.export());
      await store.clear();
      await store.storeBatch(before);
      assert.deepEqual(await collect(store.export()), before);
      const lines = before.map(embedding =>
        JSON.stringify({ ...embedding, vector: Array.from(embedding.vector) }),
      );
      await store.clear();
      await store.storeBatch(lines.map(line => JSON.parse(line)));
      assert.deepEqual(await collect(store.export()), before);
    });

    test('changing an exported vector changes nothing in the store', async store => {
      await store.store(sample('a'));
      const [exported] = await collect(store.export());
      (exported?.vector as number[])[0] = -1;
      assert.deepEqual(Array.from((await collect(store.export()))[0]?.vector ?? []), at(0));
    });

    test('what stays is exported once while others write', async store => {
      const staying = samples(1_100);
      await store.storeBatch(staying);
      await store.storeBatch(samples(50, () => ({ entityId: 'api:default/old' }), 'zz-old'));
      const seen: string[] = [];
      for await (const { id } of store.export()) {
        seen.push(id);
        if (seen.length % 200 === 0) {
          await store.store(sample(`added-${seen.length}`));
          await store.store(staying[seen.length] ?? sample('unreachable'));
          await store.clear('api:default/old');
        }
      }
      assert.equal(new Set(seen).size, seen.length, 'no id comes twice');
      assert.deepEqual(
        seen.filter(id => id.startsWith('chunk-')),
        staying.map(({ id }) => id),
      );
    });

    test('an export goes on after an id, also when that is gone', async store => {
      await store.storeBatch(samples(1_200));
      const after = async (id: string) => (await collect(store.export({ after: id }))).length;
      assert.equal(await after('chunk-0099'), 1_100);
      await store.replaceAll(samples(1_200).filter(({ id }) => id !== 'chunk-0099'));
      assert.equal(await after('chunk-0099'), 1_100);
      assert.equal(await after('chunk-1199'), 0);
      assert.equal(await after('a'), 1_199);
    });

    test('an export may be left early', async store => {
      await store.storeBatch(samples(600));
      for await (const { id } of store.export()) {
        assert.equal(id, 'chunk-0000');
        break;
      }
      await store.store(sample('after'));
      assert.equal(await store.count(), 601);
    });
  });
}
