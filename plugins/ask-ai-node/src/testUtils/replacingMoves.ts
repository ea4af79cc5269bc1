import assert from 'node:assert/strict';
import type { IVectorStore } from '../vectorStore';
import { KEY, streamed } from './replacingSamples';
import { at, byId, sample } from './samples';
import { contentOf, SHORT, streamOf } from './streams';
import type { Suite } from './suite';

/** Chunks that a stream gives to one document, and others have or bring to another. */
export function describeMoves({ test }: Suite): void {
  const elsewhere = 'component:default/elsewhere';
  const removals: Record<string, (store: IVectorStore) => Promise<unknown>> = {
    'clear of an entity': store => store.clear(elsewhere),
    removeDocument: store => store.removeDocument({ ...KEY, entityId: elsewhere }),
    replaceDocument: store =>
      store.replaceDocuments([
        {
          ...KEY,
          entityId: elsewhere,
          fingerprint: '1',
          embedded: [],
          kept: [],
        },
      ]),
  };
  for (const [name, remove] of Object.entries(removals)) {
    test(`a chunk that goes with ${name} is gone, though the stream gives it to another entity`, async store => {
      const ids = ['chunk-0001', 'chunk-0004'];
      await store.storeBatch(ids.map(id => sample(id, { entityId: elsewhere })));
      await store.replaceAll(streamOf(streamed(SHORT), { 3: () => remove(store) }));
      const others = streamed(SHORT).filter(({ id }) => !ids.includes(id));
      assert.deepEqual((await contentOf(store)).chunks, byId(others));
    });
  }

  test('chunks that a replaced document keeps are its own, though the stream gives them to others', async store => {
    const kept = ['chunk-0001', 'chunk-0004'].map(id =>
      sample(id, { entityId: elsewhere, content: 'kept', vector: at(90) }),
    );
    await store.storeBatch(kept);
    const replace = () =>
      store.replaceDocuments([
        {
          ...KEY,
          entityId: elsewhere,
          fingerprint: '1',
          embedded: [],
          kept: kept.map(({ documentChunk }) => documentChunk),
        },
      ]);
    await store.replaceAll(streamOf(streamed(SHORT), { 3: replace }));
    const expected = byId([...streamed(SHORT), ...kept]);
    assert.deepEqual((await contentOf(store)).chunks, expected);
  });
}
