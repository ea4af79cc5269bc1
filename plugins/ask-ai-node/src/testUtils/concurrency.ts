import assert from 'node:assert/strict';
import type { EmbeddingVector, IVectorStore } from '../vectorStore';
import { createRandom } from './random';
import { readWhile } from './readWhile';
import { at, collect, idsOf, PETSTORE, sample, samples } from './samples';
import type { Suite } from './suite';

const KEY = { entityId: PETSTORE, source: 'techdocs' as const };
const WRITERS = 8;

/** How often a race is run that is not always lost. */
const ROUNDS = 14;

/** Rewrites so often while a reader looks on. */
const VERSIONS = 15;

async function contentsOf(store: IVectorStore): Promise<Set<string>> {
  const hits = await store.search(at(0), 1_000, PETSTORE);
  return new Set(hits.map(({ documentChunk }) => documentChunk.content));
}

export function describeConcurrency({ describe, test }: Suite): void {
  describe('concurrent calls', () => {
    test('batches of the same ids in another order all succeed, and one of them stays whole', async store => {
      const random = createRandom(4);
      const batches = Array.from({ length: WRITERS }, (_, writer) =>
        random.shuffle(samples(150, () => ({ content: `of writer ${writer}` }))),
      );
      await Promise.all(batches.map(batch => store.storeBatch(batch)));
      assert.equal(await store.count(), 150);
      assert.equal((await contentsOf(store)).size, 1);
    });

    test('batches that are partly what is stored already stay whole', async store => {
      const random = createRandom(6);
      const contents = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      const ids = samples(60);
      const batch = (contentOf: (index: number) => string | undefined) =>
        ids.map(({ id }, index) => sample(id, { content: contentOf(index) }));
      for (let round = 0; round < ROUNDS; round++) {
        await store.storeBatch(batch(index => contents[index % 2]));
        // The first two are half of what is stored; the more others there are, the more they hide.
        const writers = random.shuffle(contents.slice(0, 2 + (round % (contents.length - 1))));
        const batches = writers.map(content => random.shuffle(batch(() => content)));
        await Promise.all(batches.map(one => store.storeBatch(one)));
        assert.equal(await store.count(), ids.length);
        const stored = await contentsOf(store);
        assert.equal(stored.size, 1, `round ${round}: ${[...stored].join(', ')}`);
      }
    });

    test('batches that overlap lose nothing', async store => {
      const random = createRandom(5);
      const all = samples(400, index => ({ vector: at(index / 10) }));
      const batches = Array.from({ length: WRITERS }, (_, writer) =>
        random.shuffle(all.slice(writer * 40, writer * 40 + 120)),
      );
      await Promise.all(batches.map(batch => store.storeBatch(batch)));
      assert.deepEqual(
        (await collect(store.export())).map(({ id }) => id),
        all.map(({ id }) => id),
      );
    });

    test('single stores of the same and of other ids all succeed', async store => {
      await Promise.all(
        Array.from({ length: 40 }, (_, index) => store.store(sample(`chunk-${index % 10}`))),
      );
      assert.equal(await store.count(), 10);
    });

    test('a reader sees a batch as a whole or not at all', async store => {
      const version = (number: number) => samples(30, () => ({ content: `version ${number}` }));
      await store.storeBatch(version(0));
      const write = async () => {
        for (let number = 1; number <= VERSIONS; number++) {
          await store.storeBatch(version(number));
        }
      };
      await readWhile(write(), async () => {
        const hits = await store.search(at(0), 100, PETSTORE);
        assert.equal(hits.length, 30);
        const contents = new Set(hits.map(({ documentChunk }) => documentChunk.content));
        assert.equal(contents.size, 1, [...contents].join(', '));
      });
      assert.deepEqual(await contentsOf(store), new Set([`version ${VERSIONS}`]));
    });

    test('a reader sees the old document or the new one', async store => {
      const shared = sample('shared', { content: 'in every version' });
      const version = (number: number): EmbeddingVector[] =>
        samples(
          5 + (number % 7) * 5,
          () => ({ content: `version ${number}`, totalChunks: 5 + (number % 7) * 5 }),
          `v${String(number).padStart(3, '0')}`,
        );
      const replace = (number: number, kept = [shared.documentChunk]) =>
        store.replaceDocuments([
          {
            ...KEY,
            fingerprint: `${number}`,
            embedded: version(number),
            kept,
          },
        ]);
      await store.store(shared);
      await replace(0);
      const write = async () => {
        for (let number = 1; number <= VERSIONS; number++) {
          await replace(number);
        }
      };
      await readWhile(write(), async () => {
        const hits = await store.search(at(0), 100, { entityIds: [PETSTORE] });
        const own = hits.filter(({ documentChunk }) => documentChunk.id !== 'shared');
        const contents = new Set(own.map(({ documentChunk }) => documentChunk.content));
        assert.equal(contents.size, 1, [...contents].join(', '));
        assert.equal(own.length, own[0]?.documentChunk.metadata.totalChunks);
        assert.equal(hits.length, own.length + 1, 'the chunk that stays is always there');
      });
    });

    test('of replacements of one document at the same time one stays whole', async store => {
      for (let round = 0; round < 5; round++) {
        const replacements = Array.from({ length: 4 }, (_, writer) => ({
          ...KEY,
          fingerprint: `writer-${writer}`,
          embedded: samples(10, () => ({}), `round-${round}-writer-${writer}`),
          kept: [],
        }));
        await Promise.all(replacements.map(replacement => store.replaceDocuments([replacement])));
        const record = await store.document(KEY);
        const winner = replacements.find(({ fingerprint }) => fingerprint === record?.fingerprint);
        assert.deepEqual(await store.chunkIds(KEY), new Set(winner?.embedded.map(({ id }) => id)));
      }
    });

    test('a hundred searches at once get each its own answer', async store => {
      await store.storeBatch(samples(100, index => ({ vector: at(index) })));
      const queries = Array.from({ length: 100 }, (_, index) => index);
      const answers = await Promise.all(
        queries.map(index =>
          index % 2 === 0
            ? store.search(at(index), 1)
            : store.searchRanked({ mode: 'vector', text: '', vector: at(index), topK: 1 }),
        ),
      );
      assert.deepEqual(
        answers.flatMap(hits => idsOf(hits)),
        samples(100).map(({ id }) => id),
      );
    });
  });
}
