import assert from 'node:assert/strict';
import { assertSimilarity, at, idsOf, PETSTORE, sample, samples } from './samples';
import type { Suite } from './suite';

/** Texts that encodings, escapes and queries stumble over. */
const TEXTS = [
  'Grüße, naïve café, Ελληνικά, русский, 日本語, العربية, हिन्दी',
  'emoji 🚀👩‍👩‍👧‍👦🏳️‍🌈 and combining e\u0301',
  `quotes ' '' " \` and backslashes \\ \\\\ \\n \\u0000`,
  "'; DROP TABLE embeddings; -- $1 $x %s {0} %",
  'tabs\tand\nlines\r\nand \u0001\u001f\u007f\u2028\ufeff\uffff',
  '{"json": [1, null]} <b>html</b> &amp; {array,text} (row,text)',
  ' spaces around ',
];

export function describeWrites({ describe, test }: Suite): void {
  describe('store and storeBatch', () => {
    test('a chunk comes back as it was stored', async store => {
      const embedding = sample('chunk-1', {
        entityName: 'Petstore',
        content: '# Setup\n\nRun it.',
        source: 'catalog',
        chunkIndex: 2,
        totalChunks: 7,
        title: 'Setup › Run',
        location: '/docs/default/component/petstore/setup/#run',
      });
      await store.store(embedding);
      const [hit] = await store.search(at(0), 1);
      assert.deepEqual(hit?.documentChunk, embedding.documentChunk);
    });

    test('an absent title and location stay absent', async store => {
      await store.store(sample('chunk-1'));
      const [hit] = await store.search(at(0), 1);
      assert.deepEqual(Object.keys(hit?.documentChunk.metadata ?? {}).sort(), [
        'chunkIndex',
        'source',
        'totalChunks',
      ]);
    });

    test('any Unicode text comes back as it was stored, in every field', async store => {
      const stored = TEXTS.map((text, index) =>
        sample(`${index} ${text}`, {
          entityId: `component:default/${text}`,
          entityName: text,
          content: text,
          title: text,
          location: text,
        }),
      );
      await store.storeBatch(stored);
      for (const { documentChunk } of stored) {
        const hits = await store.search(at(0), 10, documentChunk.entityId);
        assert.deepEqual(
          hits.map(hit => hit.documentChunk),
          [documentChunk],
        );
      }
    });

    test('a text of 1 MB comes back as it was stored', async store => {
      const content = 'All about “pets”. '.repeat(60_000).slice(0, 1_000_000);
      await store.store(sample('chunk-1', { content }));
      const [hit] = await store.search(at(0), 1);
      assert.ok(hit?.documentChunk.content === content, 'the text changed');
    });

    test('an empty text and an empty entity name are kept', async store => {
      const embedding = sample('chunk-1', { content: '', entityName: '', title: '' });
      await store.store(embedding);
      const [hit] = await store.search(at(0), 1);
      assert.deepEqual(hit?.documentChunk, embedding.documentChunk);
    });

    test('storing an id again replaces chunk and vector', async store => {
      await store.store(sample('chunk-1', { content: 'old', title: 'Old' }));
      const replacement = sample('chunk-1', {
        vector: at(180),
        content: 'new',
        entityId: 'api:default/petstore',
      });
      await store.store(replacement);
      assert.equal(await store.count(), 1);
      assert.equal(await store.count(PETSTORE), 0);
      const [hit] = await store.search(at(180), 1);
      assert.deepEqual(hit?.documentChunk, replacement.documentChunk);
      assertSimilarity(hit?.similarity, 1);
    });

    test('storing an unchanged chunk again changes nothing', async store => {
      const batch = samples(3, index => ({ vector: at(index * 30) }));
      await store.storeBatch(batch);
      await store.storeBatch(batch);
      assert.equal(await store.count(), 3);
      const hits = await store.search(at(0), 10);
      assert.deepEqual(
        hits.map(hit => hit.documentChunk),
        batch.map(({ documentChunk }) => documentChunk),
      );
    });

    test('an id and its chunk id may differ', async store => {
      await store.storeBatch([
        sample('row-1', { chunkId: 'b', vector: at(0) }),
        sample('row-2', { chunkId: 'a', vector: at(0) }),
      ]);
      await store.store(sample('row-1', { chunkId: 'c', vector: at(0) }));
      assert.deepEqual(idsOf(await store.search(at(0), 10)), ['a', 'c']);
    });

    test('of equal ids in a batch the last one wins', async store => {
      await store.storeBatch([
        sample('chunk-1', { content: 'first', vector: at(180) }),
        sample('chunk-2'),
        sample('chunk-1', { content: 'second', vector: at(90) }),
        sample('chunk-1', { content: 'last', vector: at(45) }),
      ]);
      assert.equal(await store.count(), 2);
      const hits = await store.search(at(45), 10);
      assert.equal(hits[0]?.documentChunk.content, 'last');
      assertSimilarity(hits[0]?.similarity, 1);
    });

    test('an empty batch does nothing', async store => {
      await store.storeBatch([]);
      assert.equal(await store.count(), 0);
    });

    test('a batch of 1,000 chunks is stored whole', async store => {
      await store.storeBatch(samples(1_000, index => ({ vector: at(index / 10) })));
      assert.equal(await store.count(), 1_000);
      assert.deepEqual(idsOf(await store.search(at(0), 3)), [
        'chunk-0000',
        'chunk-0001',
        'chunk-0002',
      ]);
    });

    test('vectors and queries may be arrays, typed arrays or array-like', async store => {
      const numbers = at(30);
      const forms: ArrayLike<number>[] = [
        numbers,
        Float32Array.from(numbers),
        Float64Array.from(numbers),
        Object.freeze([...numbers]),
        { ...numbers, length: numbers.length },
        // A part of a larger buffer.
        Float32Array.from([9, 9, ...numbers, 9]).subarray(2, 2 + numbers.length),
      ];
      await store.storeBatch(samples(forms.length, index => ({ vector: forms[index] })));
      for (const query of forms) {
        const hits = await store.search(query, 10);
        assert.equal(hits.length, forms.length);
        for (const { similarity } of hits) {
          assertSimilarity(similarity, 1);
        }
      }
    });

    test('changing what was passed in or handed out changes nothing in the store', async store => {
      const vector = at(0);
      const embedding = sample('chunk-1', { vector, title: 'Title' });
      await store.store(embedding);
      vector[0] = -1;
      embedding.documentChunk.content = 'changed';
      embedding.documentChunk.metadata.title = 'changed';
      const expected = sample('chunk-1', { title: 'Title' }).documentChunk;
      for (let round = 0; round < 2; round++) {
        const [hit] = await store.search(at(0), 1);
        assert.deepEqual(hit?.documentChunk, expected);
        assertSimilarity(hit?.similarity, 1);
        Object.assign(hit?.documentChunk ?? {}, { content: 'changed' });
        Object.assign(hit?.documentChunk.metadata ?? {}, { title: 'changed', chunkIndex: 99 });
      }
    });
  });
}
