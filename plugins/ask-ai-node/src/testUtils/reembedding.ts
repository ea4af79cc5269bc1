import assert from 'node:assert/strict';
import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import type {
  EmbedChunks,
  EmbeddingSpace,
  EmbeddingVector,
  IVectorStore,
  ReembedProgress,
} from '../vectorStore';
import { readWhile } from './readWhile';
import { assertRejects, at, byId, collect, idsOf, PETSTORE, sample, samples } from './samples';
import { DIMENSIONS, type Suite } from './suite';

const OLD: EmbeddingSpace = {
  provider: 'ollama',
  model: 'old',
  dimensions: DIMENSIONS,
  chunkerVersion: 1,
};
const NEW: EmbeddingSpace = { ...OLD, model: 'new', dimensions: 4 };
const SAME_DIMENSIONS: EmbeddingSpace = { ...NEW, dimensions: DIMENSIONS };
const PET = { entityId: PETSTORE, source: 'techdocs' as const };
const OTHER = { entityId: 'component:default/other', source: 'catalog' as const };

/** More than a store hands out at once. */
const MANY = 1_203;

/** The angle of a chunk in the new space; in the old one, every sample is at 0. */
const angleOf = ({ content }: DocumentChunk) => (content.length * 7 + content.charCodeAt(0)) % 90;

const newVector = (chunk: DocumentChunk, { dimensions }: EmbeddingSpace) =>
  at(angleOf(chunk), dimensions);

function embedderFor(space: EmbeddingSpace): { embed: EmbedChunks; chunks: DocumentChunk[] } {
  const chunks: DocumentChunk[] = [];
  return {
    chunks,
    embed: async given => {
      chunks.push(...given);
      return given.map(chunk => newVector(chunk, space));
    },
  };
}

const inSpace = (embeddings: EmbeddingVector[], space: EmbeddingSpace) =>
  embeddings.map(row => ({ ...row, vector: newVector(row.documentChunk, space) }));

async function assertConsistsOf(store: IVectorStore, expected: EmbeddingVector[]): Promise<void> {
  assert.deepEqual(byId(await collect(store.export())), byId(expected));
}

/** Two documents with their records, of another space than the next. */
async function fillDocuments(store: IVectorStore): Promise<EmbeddingVector[]> {
  await store.useEmbeddingSpace(OLD);
  const first = samples(3, index => ({ content: `first ${index}`, chunkIndex: index }), 'first');
  const second = samples(2, index => ({ ...OTHER, content: `second ${index}` }), 'second');
  await store.replaceDocuments([
    { ...PET, fingerprint: '1', embedded: first, kept: [] },
    { ...OTHER, fingerprint: '2', embedded: second, kept: [] },
  ]);
  return [...first, ...second];
}

export function describeReembedding({ describe, test }: Suite): void {
  describe('changeEmbeddingSpace', () => {
    for (const space of [NEW, SAME_DIMENSIONS]) {
      test(`takes all chunks to ${space.dimensions} dimensions, and leaves all else`, async store => {
        const rows = await fillDocuments(store);
        const records = await collect(store.documents());
        const { embed, chunks } = embedderFor(space);
        assert.deepEqual(await store.changeEmbeddingSpace(space, embed), {
          embedded: 5,
          removed: [],
        });
        assert.deepEqual(
          new Set(chunks.map(({ id }) => id)),
          new Set(rows.map(({ documentChunk }) => documentChunk.id)),
        );
        await assertConsistsOf(store, inSpace(rows, space));
        assert.deepEqual(await collect(store.documents()), records);
        assert.deepEqual(await store.embeddingSpace(), space);
        assert.equal(store.dimensions, space.dimensions);
        const [nearest] = await store.search(inSpace(rows, space)[3]?.vector ?? [], 1);
        assert.equal(nearest?.documentChunk.id, 'second-0000');
        await store.useEmbeddingSpace(space);
        await assertRejects(() => store.useEmbeddingSpace(OLD), 'EmbeddingSpaceMismatchError');
        await store.storeBatch(inSpace([sample('later')], space));
        assert.equal(await store.count(), 6);
      });
    }

    test('takes more chunks than are handed out at once, there and back, and tells how far it is', async store => {
      await store.useEmbeddingSpace(OLD);
      const rows = samples(MANY, index => ({ content: `text ${index}`, vector: at(index / 20) }));
      await store.storeBatch(rows);
      const seen: ReembedProgress[] = [];
      const onProgress = (progress: ReembedProgress) => seen.push(progress);
      const there = await store.changeEmbeddingSpace(NEW, embedderFor(NEW).embed, { onProgress });
      assert.equal(there.embedded, MANY);
      await assertConsistsOf(store, inSpace(rows, NEW));
      const back = await store.changeEmbeddingSpace(OLD, embedderFor(OLD).embed, { onProgress });
      assert.equal(back.embedded, MANY);
      await assertConsistsOf(store, inSpace(rows, OLD));
      for (const { chunksDone, chunksTotal } of seen) {
        assert.ok(chunksDone <= chunksTotal && chunksTotal === MANY);
      }
    });

    test('an empty store takes the space', async store => {
      await store.useEmbeddingSpace(OLD);
      const result = await store.changeEmbeddingSpace(NEW, embedderFor(NEW).embed);
      assert.deepEqual(result, { embedded: 0, removed: [] });
      assert.deepEqual(await store.embeddingSpace(), NEW);
      await store.store(sample('a', { vector: at(0, NEW.dimensions) }));
      assert.equal(await store.count(), 1);
    });

    test('what is written and removed meanwhile is taken along', async store => {
      const rows = await fillDocuments(store);
      const [a, b, c] = rows;
      assert.ok(a && b && c);
      const changed = { ...b.documentChunk, content: 'changed meanwhile' };
      const added = sample('added', { content: 'added meanwhile' });
      let calls = 0;
      await store.changeEmbeddingSpace(NEW, async chunks => {
        calls += 1;
        if (calls === 1) {
          await store.replaceDocuments([
            {
              ...PET,
              fingerprint: 'next',
              embedded: [{ ...b, documentChunk: changed }, added],
              kept: [a.documentChunk],
            },
          ]);
          await store.clear(OTHER.entityId);
        }
        return chunks.map(chunk => newVector(chunk, NEW));
      });
      await assertConsistsOf(store, inSpace([a, { ...b, documentChunk: changed }, added], NEW));
      assert.deepEqual(await collect(store.documents()), [
        { ...PET, fingerprint: 'next', chunkCount: 3 },
      ]);
    });

    test('searches see the old space until they see the new one', async store => {
      const rows = await fillDocuments(store);
      const spaces = [OLD, NEW];
      const seen = new Set<string>();
      const change = store.changeEmbeddingSpace(NEW, async chunks => {
        await new Promise(resolve => setTimeout(resolve, 20));
        return chunks.map(chunk => newVector(chunk, NEW));
      });
      await readWhile(change, async () => {
        const results = await Promise.all(
          spaces.map(space =>
            store
              .searchRanked({
                mode: 'vector',
                text: '',
                vector: at(0, space.dimensions),
                topK: 10,
                space,
              })
              .then(
                hits => ({ model: space.model, count: hits.length }),
                (error: Error) => error.name,
              ),
          ),
        );
        for (const result of results) {
          if (typeof result === 'string') {
            assert.equal(result, 'EmbeddingSpaceMismatchError');
          } else {
            assert.equal(result.count, rows.length);
            seen.add(result.model);
          }
        }
      });
      await change;
      assert.ok(seen.has('old'));
      const query = { mode: 'vector', text: '', vector: at(0, NEW.dimensions), topK: 10 } as const;
      assert.equal((await store.searchRanked({ ...query, space: NEW })).length, rows.length);
    });

    test('a document of which a chunk can not be embedded goes with its record', async store => {
      const rows = await fillDocuments(store);
      const result = await store.changeEmbeddingSpace(NEW, async chunks =>
        chunks.map(chunk => (chunk.content === 'first 1' ? undefined : newVector(chunk, NEW))),
      );
      assert.deepEqual(result.removed, [PET]);
      await assertConsistsOf(store, inSpace(rows.slice(3), NEW));
      assert.deepEqual(await collect(store.documents()), [
        { ...OTHER, fingerprint: '2', chunkCount: 2 },
      ]);
    });

    test('what goes wrong leaves the store in its space', async store => {
      const rows = await fillDocuments(store);
      const aborting = new AbortController();
      const failures: [string, EmbedChunks, AbortSignal?][] = [
        [
          'ModelError',
          async () => {
            throw Object.assign(new Error('The model is gone.'), { name: 'ModelError' });
          },
        ],
        ['InvalidVectorError', async chunks => chunks.map(() => [Number.NaN, 0, 0, 0])],
        ['DimensionMismatchError', async chunks => chunks.map(() => at(0, 5))],
        [
          'Stopped',
          async chunks => {
            aborting.abort(Object.assign(new Error('Stopped.'), { name: 'Stopped' }));
            return chunks.map(chunk => newVector(chunk, NEW));
          },
          aborting.signal,
        ],
      ];
      for (const [name, embed, signal] of failures) {
        await assertRejects(() => store.changeEmbeddingSpace(NEW, embed, { signal }), name);
        await assertConsistsOf(store, rows);
        assert.deepEqual(await store.embeddingSpace(), OLD);
      }
      await store.changeEmbeddingSpace(NEW, embedderFor(NEW).embed);
      await assertConsistsOf(store, inSpace(rows, NEW));
    });

    test('two changes at once, or a load meanwhile, are refused', async store => {
      const rows = await fillDocuments(store);
      await store.changeEmbeddingSpace(NEW, async chunks => {
        const { embed } = embedderFor(NEW);
        await assertRejects(() => store.changeEmbeddingSpace(NEW, embed), 'ConflictError');
        await assertRejects(() => store.replaceAll([]), 'ConflictError');
        return chunks.map(chunk => newVector(chunk, NEW));
      });
      await assertConsistsOf(store, inSpace(rows, NEW));
    });

    test('documents and questions of another space are refused', async store => {
      await fillDocuments(store);
      const replacement = { ...PET, fingerprint: '2', embedded: [sample('new')], kept: [] };
      await assertRejects(
        () => store.replaceDocuments([replacement], { space: SAME_DIMENSIONS }),
        'EmbeddingSpaceMismatchError',
      );
      assert.equal(await store.count(), 5);
      const query = { text: 'first', vector: at(0), topK: 10 };
      for (const mode of ['vector', 'hybrid', 'keyword'] as const) {
        await assertRejects(
          () => store.searchRanked({ ...query, mode, space: SAME_DIMENSIONS }),
          'EmbeddingSpaceMismatchError',
          { statusCode: 503, what: mode },
        );
        const hits = await store.searchRanked({ ...query, mode, space: OLD });
        assert.ok(idsOf(hits).includes('first-0000'), mode);
      }
      await store.replaceDocuments([replacement], { space: OLD });
      assert.equal(await store.count(), 3);
    });
  });
}
