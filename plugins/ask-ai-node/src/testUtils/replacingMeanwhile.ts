import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { DocumentKey, EmbeddingVector, StoredDocument } from '../vectorStore';
import { readWhile } from './readWhile';
import { describeMoves } from './replacingMoves';
import { E0, E1, E2, KEY, streamed } from './replacingSamples';
import { at, byId, collect, idsOf, sample, samples } from './samples';
import { contentOf, fill, LONG, SHORT, SIZES, streamOf } from './streams';
import type { Suite } from './suite';

/** The records of the documents in the stream. */
const RECORDS: StoredDocument[] = [
  { ...KEY, source: 'catalog', fingerprint: 'streamed', chunkCount: 1 },
  ...[E0, E1, E2].map(entityId => ({ ...KEY, entityId, fingerprint: 'streamed', chunkCount: 1 })),
];
const documents = () => RECORDS;

const isOf = ({ documentChunk }: EmbeddingVector, { entityId, source }: DocumentKey) =>
  documentChunk.entityId === entityId && documentChunk.metadata.source === source;

const recordsWithout = (isGone: (record: StoredDocument) => boolean) =>
  RECORDS.filter(record => !isGone(record));

/**
 * What others do while replaceAll goes on. The stream itself does it between its rows, so that
 * nothing depends on chance: early, when a third was given, or after the last row.
 */
export function describeReplacingMeanwhile({ describe, test }: Suite): void {
  describe('what is done while replaceAll goes on', () => {
    for (const size of SIZES) {
      const early = size / 3;
      const late = size - 1;
      const last = streamed(size)[size - 1] as EmbeddingVector;

      test(`what is stored stays, whether or not it is among the ${size} rows`, async store => {
        const before = await fill(store);
        const written = [
          sample('chunk-0000', { content: 'written', vector: at(90) }),
          sample(last.id, { content: 'written', vector: at(91) }),
          sample('beside', { content: 'written', vector: at(92) }),
        ];
        const alone = sample('chunk-0001', { content: 'alone', vector: at(93) });
        const many = samples(200, () => ({ content: 'many', vector: at(180) }), 'many');
        const calls = {
          [early]: async () => {
            await store.storeBatch(written);
            assert.equal(await store.count(), before.chunks.size + written.length);
            assert.deepEqual(idsOf(await store.search(at(92), 1)), ['beside']);
          },
          [late]: () => store.storeAll(streamOf(many)),
          [size]: () => store.store(alone),
        };
        const load = await store.replaceAll(streamOf(streamed(size), calls), { documents });
        assert.deepEqual(load, { received: size });
        const expected = byId([...streamed(size), ...written, ...many, alone]);
        assert.deepEqual(await contentOf(store), { chunks: expected, records: RECORDS });
        assert.deepEqual(idsOf(await store.search(at(92), 1)), ['beside']);
      });

      test(`a document that is replaced is just what it was replaced by, whatever ${size} rows say`, async store => {
        const kept = [
          sample('kept', { entityId: E0, content: 'kept', vector: at(100) }),
          sample('chunk-0003', { entityId: E0, content: 'kept', vector: at(101) }),
        ];
        await store.storeBatch([...kept, sample('gone', { entityId: E0 })]);
        const moved = kept.map(embedding => {
          const chunk = embedding.documentChunk;
          const metadata = { ...chunk.metadata, title: 'Moved', chunkIndex: 7 };
          return { ...embedding, documentChunk: { ...chunk, metadata } };
        });
        const added = sample('added', { entityId: E0, content: 'added', vector: at(102) });
        const replace = () =>
          store.replaceDocuments([
            {
              ...KEY,
              fingerprint: 'meanwhile',
              embedded: [added],
              kept: moved.map(({ documentChunk }) => documentChunk),
            },
          ]);
        const calls = { [early]: replace };
        await store.replaceAll(streamOf(streamed(size), calls), { documents });
        const others = streamed(size).filter(embedding => !isOf(embedding, KEY));
        assert.deepEqual(await contentOf(store), {
          chunks: byId([...others, ...moved, added]),
          records: RECORDS.map(record =>
            record.entityId === E0 && record.source === 'techdocs'
              ? { ...KEY, fingerprint: 'meanwhile', chunkCount: 3 }
              : record,
          ),
        });
      });

      test(`a document that is removed is gone, though ${size} rows give it before and after`, async store => {
        await store.store(sample('gone', { entityId: E0 }));
        const calls = {
          [early]: async () => {
            assert.deepEqual(await store.removeDocument(KEY), { removed: 1 });
          },
        };
        await store.replaceAll(streamOf(streamed(size), calls), { documents });
        assert.deepEqual(await contentOf(store), {
          chunks: byId(streamed(size).filter(embedding => !isOf(embedding, KEY))),
          records: recordsWithout(
            ({ entityId, source }) => entityId === E0 && source === 'techdocs',
          ),
        });
      });

      test(`an entity that is cleared has only what is stored after, whatever ${size} rows say`, async store => {
        await fill(store);
        const again = sample('again', { entityId: E1, content: 'again' });
        const calls = {
          [early]: async () => {
            await store.store(sample('dropped', { entityId: E1 }));
            await store.clear(E1);
          },
          [late]: () => store.store(again),
        };
        await store.replaceAll(streamOf(streamed(size), calls), { documents });
        const others = streamed(size).filter(({ documentChunk }) => documentChunk.entityId !== E1);
        assert.deepEqual(await contentOf(store), {
          chunks: byId([...others, again]),
          records: recordsWithout(({ entityId }) => entityId === E1),
        });
      });

      test(`a store that is cleared has only what is stored after, nothing of ${size} rows`, async store => {
        await fill(store);
        const after = sample('after', { entityId: E2, content: 'after' });
        const calls = {
          [early]: async () => {
            await store.store(sample('dropped'));
            await store.clear();
            assert.equal(await store.count(), 0);
          },
          [late]: () =>
            store.replaceDocuments([
              {
                ...KEY,
                entityId: E2,
                fingerprint: 'after',
                embedded: [after],
                kept: [],
              },
            ]),
        };
        const load = await store.replaceAll(streamOf(streamed(size), calls), { documents });
        assert.deepEqual(load, { received: size });
        assert.deepEqual(await contentOf(store), {
          chunks: byId([after]),
          records: [{ ...KEY, entityId: E2, fingerprint: 'after', chunkCount: 1 }],
        });
        assert.deepEqual(await store.stats(), { vectorCount: 1, entityCount: 1 });
      });

      test(`what is done after the last of ${size} rows holds as well`, async store => {
        await fill(store);
        const end = async () => {
          await store.clear(E1);
          await store.removeDocument(KEY);
          await store.store(sample('chunk-0002', { entityId: E2, content: 'late' }));
        };
        await store.replaceAll(streamOf(streamed(size), { [size]: end }), { documents });
        const others = streamed(size).filter(
          embedding => embedding.documentChunk.entityId !== E1 && !isOf(embedding, KEY),
        );
        const late = sample('chunk-0002', { entityId: E2, content: 'late' });
        assert.deepEqual((await contentOf(store)).chunks, byId([...others, late]));
      });

      test(`when a load of ${size} rows fails, what was written and removed meanwhile holds`, async store => {
        const { chunks } = await fill(store);
        const written = sample('written');
        const calls = {
          [early]: () => store.store(written),
          [size]: () => {
            throw new Error('The stream broke');
          },
        };
        await assert.rejects(store.replaceAll(streamOf(streamed(size), calls)), /broke/);
        const expected = new Map([...chunks, ...byId([written])]);
        assert.deepEqual((await contentOf(store)).chunks, expected);
      });
    }

    describeOrder({ describe, test });
    describeMoves({ describe, test });
    describeRaces({ describe, test });
  });
}

function describeOrder({ test }: Suite): void {
  test('of what is written and removed in turns the last holds', async store => {
    const e9 = 'component:default/e9';
    const replacement = { ...KEY, entityId: E2, fingerprint: 'dropped', kept: [] };
    const calls = {
      2: async () => {
        // Written, then removed.
        await store.store(sample('dropped', { entityId: 'component:default/e8' }));
        await store.clear('component:default/e8');
        await store.replaceDocuments([
          { ...replacement, embedded: [sample('d', { entityId: E2 })] },
        ]);
        await store.removeDocument({ ...KEY, entityId: E2 });
        // Removed, then written.
        await store.clear(E1);
        await store.store(sample('chunk-0004', { entityId: E1, content: 'again' }));
        // Written for another entity, so that it stays when its former one is cleared.
        await store.store(sample('chunk-0003', { entityId: e9, content: 'moved' }));
        await store.removeDocument(KEY);
      },
    };
    await store.replaceAll(streamOf(streamed(SHORT), calls), { documents });
    assert.deepEqual(await contentOf(store), {
      chunks: byId([
        streamed(SHORT)[0] as EmbeddingVector,
        sample('chunk-0003', { entityId: e9, content: 'moved' }),
        sample('chunk-0004', { entityId: E1, content: 'again' }),
      ]),
      records: RECORDS.slice(0, 1),
    });
  });
}

function describeRaces({ test }: Suite): void {
  for (const size of SIZES) {
    test(`nothing is lost that others store around the end of a load of ${size} rows`, async store => {
      await fill(store);
      let begin = () => {};
      const begun = new Promise<void>(resolve => {
        begin = resolve;
      });
      const turns = {
        0: async () => begin(),
        [size / 2]: () => setImmediate(),
        [size]: () => setImmediate(),
      };
      const written: EmbeddingVector[] = [];
      const replacing = store.replaceAll(streamOf(streamed(size), turns));
      await Promise.race([begun, replacing]);
      await readWhile(replacing, async () => {
        const batch = samples(3, () => ({}), `written-${String(written.length).padStart(6, '0')}`);
        written.push(...batch);
        await Promise.all(batch.map(embedding => store.store(embedding)));
      });
      const expected = byId([...streamed(size), ...written]);
      assert.deepEqual((await contentOf(store)).chunks, expected);
    });
  }

  test('an export that runs into the end of a load gives no id twice', async store => {
    await store.storeBatch(samples(LONG / 3));
    const [exported] = await Promise.all([
      collect(store.export()),
      store.replaceAll(streamOf(streamed(SHORT))),
    ]);
    assert.equal(new Set(exported.map(({ id }) => id)).size, exported.length);
  });
}
