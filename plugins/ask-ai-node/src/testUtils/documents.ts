import assert from 'node:assert/strict';
import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import type { DocumentReplacement, EmbeddingVector, IVectorStore } from '../vectorStore';
import { assertRejects, assertSimilarity, at, collect, PETSTORE, sample, samples } from './samples';
import { DIMENSIONS, type Suite } from './suite';

const KEY = { entityId: PETSTORE, source: 'techdocs' as const };

/** A replacement of the techdocs document of `PETSTORE`. */
function replacement(options: Partial<DocumentReplacement> = {}): DocumentReplacement {
  return { ...KEY, fingerprint: 'v1', embedded: [], kept: [], ...options };
}

/** Chunks of one document, in order, each with its own direction and text. */
function document(count: number, prefix = 'chunk'): EmbeddingVector[] {
  return samples(
    count,
    index => ({ vector: at(index * 10), chunkIndex: index, totalChunks: count }),
    prefix,
  );
}

async function storedIds(store: IVectorStore): Promise<string[]> {
  return (await collect(store.export())).map(({ id }) => id);
}

const idsOfAll = (embeddings: readonly EmbeddingVector[]) => embeddings.map(({ id }) => id);

export function describeDocuments({ describe, test }: Suite): void {
  describe('documents', () => {
    test('replaceDocuments stores a new document and its record', async store => {
      const embedded = document(3);
      assert.deepEqual(await store.replaceDocuments([replacement({ embedded })]), { removed: 0 });
      assert.deepEqual(await storedIds(store), idsOfAll(embedded));
      assert.deepEqual(await store.document(KEY), { ...KEY, fingerprint: 'v1', chunkCount: 3 });
      assert.deepEqual(await store.chunkIds(KEY), new Set(idsOfAll(embedded)));
    });

    test('the chunks beyond the end of a shrunken document go', async store => {
      await store.replaceDocuments([replacement({ embedded: document(5) })]);
      const shrunken = replacement({ embedded: document(2), fingerprint: 'v2' });
      assert.deepEqual(await store.replaceDocuments([shrunken]), { removed: 3 });
      assert.deepEqual(await storedIds(store), idsOfAll(document(2)));
      assert.deepEqual(await store.document(KEY), { ...KEY, fingerprint: 'v2', chunkCount: 2 });
    });

    test('a kept chunk keeps vector and text, and takes its new place', async store => {
      const [first, second, third] = document(3) as [
        EmbeddingVector,
        EmbeddingVector,
        EmbeddingVector,
      ];
      await store.replaceDocuments([replacement({ embedded: [first, second, third] })]);
      const moved: DocumentChunk = {
        ...second.documentChunk,
        entityName: 'Pet Store',
        metadata: {
          source: 'techdocs',
          chunkIndex: 0,
          totalChunks: 2,
          title: 'New › Heading',
          location: '/docs/default/component/petstore/new/#heading',
        },
      };
      const added = sample('added', { vector: at(90), chunkIndex: 1, totalChunks: 2 });
      const next = replacement({ embedded: [added], kept: [moved], fingerprint: 'v2' });
      assert.deepEqual(await store.replaceDocuments([next]), { removed: 2 });
      const [hit, ...others] = await store.search(second.vector, 10);
      assert.deepEqual(hit?.documentChunk, moved);
      assertSimilarity(hit?.similarity, 1);
      assert.deepEqual(
        others.map(({ documentChunk }) => documentChunk),
        [added.documentChunk],
      );
      assert.deepEqual(await store.document(KEY), { ...KEY, fingerprint: 'v2', chunkCount: 2 });
    });

    test('a kept chunk is found by the words of its new title, not of its old one', async store => {
      const [chunk] = samples(1, () => ({ title: 'Alpha' })) as [EmbeddingVector];
      await store.replaceDocuments([replacement({ embedded: [chunk] })]);
      const { metadata } = chunk.documentChunk;
      const kept = [{ ...chunk.documentChunk, metadata: { ...metadata, title: 'Beta' } }];
      await store.replaceDocuments([replacement({ kept })]);
      const find = (text: string) => store.searchRanked({ mode: 'keyword', text, topK: 5 });
      assert.equal((await find('beta')).length, 1);
      assert.equal((await find('alpha')).length, 0);
    });

    test('a kept chunk that is gone is a conflict, and nothing is written', async store => {
      const before = document(3);
      await store.replaceDocuments([replacement({ embedded: before })]);
      const next = replacement({
        embedded: [sample('added')],
        kept: [
          { ...(before[0] as EmbeddingVector).documentChunk, entityName: 'changed' },
          sample('gone').documentChunk,
        ],
        fingerprint: 'v2',
      });
      await assertRejects(() => store.replaceDocuments([next]), 'ConflictError', {
        statusCode: 409,
      });
      const exported = await collect(store.export());
      assert.deepEqual(
        exported.map(({ documentChunk }) => documentChunk),
        before.map(({ documentChunk }) => documentChunk),
      );
      assert.equal((await store.document(KEY))?.fingerprint, 'v1');
    });

    test('a chunk that can not be stored, or is of another document, leaves all as it was', async store => {
      const before = document(2);
      await store.replaceDocuments([replacement({ embedded: before })]);
      const stranger = { entityId: 'component:default/other' };
      const bad: Record<string, Partial<DocumentReplacement>> = {
        'a zero vector': {
          embedded: [sample('a'), sample('b', { vector: new Float32Array(DIMENSIONS) })],
        },
        'a NUL character': { embedded: [sample('a', { content: '\0' })] },
        'a NUL character in a kept chunk': {
          kept: [{ ...(before[0] as EmbeddingVector).documentChunk, entityName: '\0' }],
        },
        'a NUL character in the fingerprint': { fingerprint: '\0' },
        'an empty entity id': { entityId: '' },
        'an embedded chunk of another entity': { embedded: [sample('a', stranger)] },
        'an embedded chunk of another source': { embedded: [sample('a', { source: 'catalog' })] },
        'a kept chunk of another entity': {
          kept: [sample(before[0]?.id ?? '', stranger).documentChunk],
        },
      };
      for (const [what, options] of Object.entries(bad)) {
        const next = replacement({ fingerprint: 'v2', ...options });
        await assertRejects(() => store.replaceDocuments([next]), 'InvalidVectorError', {
          statusCode: 400,
          what,
        });
      }
      const wrong = replacement({ embedded: [sample('a'), sample('b', { vector: [1] })] });
      await assertRejects(() => store.replaceDocuments([wrong]), 'DimensionMismatchError');
      assert.deepEqual(await storedIds(store), idsOfAll(before));
      assert.deepEqual(await collect(store.documents()), [
        { ...KEY, fingerprint: 'v1', chunkCount: 2 },
      ]);
    });

    test('other sources and entities are not touched', async store => {
      const others = [
        sample('catalog', { source: 'catalog' }),
        sample('other', { entityId: 'component:default/petstore-2' }),
      ];
      await store.storeBatch(others);
      await store.replaceDocuments([replacement({ embedded: document(2) })]);
      await store.replaceDocuments([replacement({ embedded: document(1, 'next') })]);
      assert.deepEqual(await storedIds(store), ['catalog', 'next-0000', 'other']);
      assert.deepEqual(await store.chunkIds(KEY), new Set(['next-0000']));
      assert.deepEqual(await store.removeDocument(KEY), { removed: 1 });
      assert.deepEqual(await storedIds(store), ['catalog', 'other']);
    });

    test('chunks that were stored for the document without its record go too', async store => {
      await store.storeBatch(document(3, 'stray'));
      assert.deepEqual(await store.replaceDocuments([replacement({ embedded: document(1) })]), {
        removed: 3,
      });
      assert.deepEqual(await storedIds(store), ['chunk-0000']);
    });

    test('several documents are replaced at once, or none of them', async store => {
      const other = { entityId: 'api:default/payments', source: 'techdocs' as const };
      const others = samples(2, () => ({ entityId: other.entityId }), 'other');
      await store.replaceDocuments([
        replacement({ embedded: document(3) }),
        { ...other, fingerprint: 'w1', embedded: others, kept: [] },
      ]);
      const before = [...idsOfAll(document(3)), ...idsOfAll(others)];
      assert.deepEqual(await storedIds(store), before);
      const gone = samples(1, () => ({ entityId: other.entityId }), 'gone')[0] as EmbeddingVector;
      await assertRejects(
        () =>
          store.replaceDocuments([
            replacement({ embedded: document(1), fingerprint: 'v2' }),
            { ...other, fingerprint: 'w2', embedded: [], kept: [gone.documentChunk] },
          ]),
        'ConflictError',
      );
      assert.deepEqual(await storedIds(store), before);
      assert.equal((await store.document(KEY))?.fingerprint, 'v1');
      assert.equal((await store.document(other))?.fingerprint, 'w1');
    });

    test('of equal documents that are replaced at once the last one wins', async store => {
      await store.replaceDocuments([replacement({ embedded: document(3) })]);
      const { removed } = await store.replaceDocuments([
        replacement({ embedded: document(2), fingerprint: 'v2' }),
        replacement({ embedded: document(1), fingerprint: 'v3' }),
      ]);
      assert.equal(removed, 2);
      assert.deepEqual(await storedIds(store), idsOfAll(document(1)));
      assert.equal((await store.document(KEY))?.fingerprint, 'v3');
    });

    test('a document may be replaced by nothing', async store => {
      await store.replaceDocuments([replacement({ embedded: document(3) })]);
      assert.deepEqual(await store.replaceDocuments([replacement({ fingerprint: 'v2' })]), {
        removed: 3,
      });
      assert.equal(await store.count(), 0);
      assert.deepEqual(await store.document(KEY), { ...KEY, fingerprint: 'v2', chunkCount: 0 });
    });

    test('the same replacement again changes nothing', async store => {
      const once = replacement({ embedded: document(3) });
      await store.replaceDocuments([once]);
      assert.deepEqual(await store.replaceDocuments([once]), { removed: 0 });
      const kept = replacement({ kept: once.embedded.map(({ documentChunk }) => documentChunk) });
      assert.deepEqual(await store.replaceDocuments([kept]), { removed: 0 });
      assert.deepEqual(await storedIds(store), idsOfAll(once.embedded));
      assert.deepEqual(await collect(store.documents()), [
        { ...KEY, fingerprint: 'v1', chunkCount: 3 },
      ]);
    });

    test('of equal ids in a replacement the last one wins, and the record counts it once', async store => {
      const embedded = [sample('a', { content: 'first' }), sample('a', { content: 'last' })];
      await store.replaceDocuments([replacement({ embedded })]);
      const [hit] = await store.search(at(0), 5);
      assert.equal(hit?.documentChunk.content, 'last');
      assert.equal((await store.document(KEY))?.chunkCount, 1);
    });

    test('removeDocument removes chunks and record, once', async store => {
      await store.replaceDocuments([replacement({ embedded: document(3) })]);
      assert.deepEqual(await store.removeDocument(KEY), { removed: 3 });
      assert.deepEqual(await store.removeDocument(KEY), { removed: 0 });
      assert.equal(await store.document(KEY), undefined);
      assert.equal(await store.count(), 0);
    });

    test('documents come by entity id and source', async store => {
      const keys = ['b', 'a', 'c'].flatMap(name =>
        (['techdocs', 'catalog'] as const).map(source => ({
          entityId: `component:default/${name}`,
          source,
        })),
      );
      for (const key of keys) {
        await store.replaceDocuments([{ ...key, fingerprint: key.source, embedded: [], kept: [] }]);
      }
      const found = (await collect(store.documents())).map(
        ({ entityId, source }) => `${entityId} ${source}`,
      );
      assert.deepEqual(found, keys.map(({ entityId, source }) => `${entityId} ${source}`).sort());
    });

    test('what was never indexed has neither record nor chunks', async store => {
      await store.storeBatch(document(2));
      assert.equal(await store.document(KEY), undefined);
      assert.deepEqual(await collect(store.documents()), []);
      const unknown = { ...KEY, entityId: 'component:default/unknown' };
      assert.deepEqual(await store.chunkIds(unknown), new Set());
      assert.deepEqual(await store.chunks(unknown, { from: 0, to: 10 }), []);
    });

    test('chunks gives a stretch of a document in order, both ends included', async store => {
      const embedded = document(12);
      await store.replaceDocuments([replacement({ embedded: [...embedded].reverse() })]);
      await store.store(sample('catalog', { source: 'catalog', chunkIndex: 3 }));
      const positions = async (from: number, to: number) =>
        (await store.chunks(KEY, { from, to })).map(({ metadata }) => metadata.chunkIndex);
      assert.deepEqual(await positions(2, 4), [2, 3, 4]);
      assert.deepEqual(await positions(-3, 1), [0, 1]);
      assert.deepEqual(await positions(10, 99), [10, 11]);
      assert.deepEqual(await positions(5, 5), [5]);
      assert.deepEqual(await positions(5, 4), []);
      const [chunk] = await store.chunks(KEY, { from: 7, to: 7 });
      assert.deepEqual(chunk, embedded[7]?.documentChunk);
    });
  });
}
