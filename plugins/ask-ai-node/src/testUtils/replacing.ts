import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { EmbeddingVector, StoredDocument } from '../vectorStore';
import { readWhile } from './readWhile';
import { assertRejects, at, byId, idsOf, PETSTORE, sample, samples } from './samples';
import { contentOf, fill, SHORT, SIZES, streamOf } from './streams';
import type { Suite } from './suite';

const NEW = 'component:default/new';

/** How many rows a stream gives before others get a turn. */
const ROWS_PER_TURN = 50;

const fresh = (count: number) =>
  samples(count, index => ({
    content: 'new',
    entityId: NEW,
    vector: at(index / 20),
    title: index === 3 ? 'The needle' : undefined,
  }));

/** A stream that lets others have their turn now and then. */
function patientStreamOf(items: EmbeddingVector[]): AsyncGenerator<EmbeddingVector> {
  const calls = items.map((_, index) =>
    index % ROWS_PER_TURN === 0 ? () => setImmediate() : () => {},
  );
  return streamOf(items, { ...calls });
}

/** What replaceAll alone does, when nobody else writes; see `describeReplacingMeanwhile`. */
export function describeReplacing({ describe, test }: Suite): void {
  describe('replaceAll of a filled store', () => {
    for (const size of SIZES) {
      test(`a store consists of the ${size} rows of the stream, and is searched by them`, async store => {
        await fill(store);
        assert.deepEqual(await store.replaceAll(streamOf(fresh(size))), { received: size });
        assert.deepEqual(await contentOf(store), { chunks: byId(fresh(size)), records: [] });
        assert.deepEqual(await store.stats(), { vectorCount: size, entityCount: 1 });
        assert.deepEqual(idsOf(await store.search(at(0), 2)), ['chunk-0000', 'chunk-0001']);
        assert.deepEqual(await store.search(at(0), 5, PETSTORE), []);
        const find = async (text: string) =>
          idsOf(await store.searchRanked({ mode: 'keyword', text, topK: 5 }));
        assert.deepEqual(await find('needle'), ['chunk-0003']);
        assert.deepEqual(await find('old'), []);
      });

      test(`readers see all of the old or all of ${size} new rows`, async store => {
        const { chunks } = await fill(store);
        const load = store.replaceAll(patientStreamOf(fresh(size)));
        let before = 0;
        await readWhile(load, async () => {
          const count = await store.count();
          assert.ok(count === chunks.size || count === size, `${count} chunks`);
          const hits = await store.search(at(0), 6);
          const contents = new Set(hits.map(({ documentChunk }) => documentChunk.content));
          assert.equal(hits.length, 6);
          assert.equal(contents.size, 1, [...contents].join(', '));
          before += contents.has('old') ? 1 : 0;
        });
        assert.ok(before > 0, 'nobody read while the load went on');
        assert.equal(await store.count(), size);
      });
    }

    test('an empty stream empties the store', async store => {
      for (const stream of [[], streamOf([])]) {
        await fill(store);
        assert.deepEqual(await store.replaceAll(stream), { received: 0 });
        assert.deepEqual(await contentOf(store), { chunks: new Map(), records: [] });
        assert.deepEqual(await store.search(at(0), 5), []);
      }
    });

    test('rows that are there already as the stream gives them stay', async store => {
      const { chunks } = await fill(store);
      const { received } = await store.replaceAll(store.export());
      assert.deepEqual(await contentOf(store), { chunks, records: [] });
      assert.equal(received, chunks.size);
    });

    test('the dimensions and the embedding space stay', async store => {
      const space = {
        provider: 'ollama',
        model: 'all-minilm',
        dimensions: store.dimensions,
        chunkerVersion: 1,
      };
      await store.useEmbeddingSpace(space);
      await fill(store);
      await store.replaceAll(fresh(SHORT));
      assert.deepEqual(await store.embeddingSpace(), space);
      assert.equal(store.dimensions, space.dimensions);
    });

    describeRecords({ describe, test });
    describeTurns({ describe, test });
  });
}

function describeRecords({ test }: Suite): void {
  const records: StoredDocument[] = ['a', 'b'].flatMap(name =>
    (['catalog', 'techdocs'] as const).map((source, index) => ({
      entityId: `component:default/${name}`,
      source,
      fingerprint: `of ${name}`,
      chunkCount: index,
    })),
  );

  for (const size of SIZES) {
    test(`the records that are asked for after ${size} rows replace the old ones`, async store => {
      await fill(store);
      let hasEnded = false;
      const end = () => {
        hasEnded = true;
      };
      await store.replaceAll(streamOf(fresh(size), {}, end), {
        documents: () => {
          assert.ok(hasEnded, 'asked for before the end of the stream');
          return new Set(records).values();
        },
      });
      assert.deepEqual(await contentOf(store), { chunks: byId(fresh(size)), records });
      assert.deepEqual(await store.document(records[1] as StoredDocument), records[1]);
    });
  }

  test('of equal records the last one wins', async store => {
    const [first] = records as [StoredDocument];
    const last = { ...first, fingerprint: 'last' };
    await store.replaceAll(fresh(SHORT), { documents: () => [...records, last] });
    assert.deepEqual((await contentOf(store)).records, [last, ...records.slice(1)]);
  });

  test('records that can not be given or stored leave everything as it was', async store => {
    const before = await fill(store);
    const thrown = new Error('No records');
    const failing = () => {
      throw thrown;
    };
    const load = store.replaceAll(fresh(SHORT), { documents: failing });
    await assert.rejects(load, error => error === thrown);
    assert.deepEqual(await contentOf(store), before);
    const bad: Record<string, Partial<StoredDocument>> = {
      'an empty entity id': { entityId: '' },
      'an unknown source': { source: 'wiki' as 'techdocs' },
      'a NUL character in the fingerprint': { fingerprint: '\0' },
      'a negative count': { chunkCount: -1 },
    };
    for (const [what, fields] of Object.entries(bad)) {
      const documents = () => [...records, { ...(records[0] as StoredDocument), ...fields }];
      const call = () => store.replaceAll(fresh(SHORT), { documents });
      await assertRejects(call, 'InvalidVectorError', { statusCode: 400, what });
      assert.deepEqual(await contentOf(store), before);
    }
  });
}

function describeTurns({ test }: Suite): void {
  for (const size of SIZES) {
    test(`a second load is a conflict while one of ${size} rows goes on, and works after it`, async store => {
      await fill(store);
      const second = () =>
        assertRejects(() => store.replaceAll([sample('second')]), 'ConflictError', {
          statusCode: 409,
        });
      const calls = { 1: second, [size]: second };
      assert.deepEqual(await store.replaceAll(streamOf(fresh(size), calls)), { received: size });
      assert.deepEqual((await contentOf(store)).chunks, byId(fresh(size)));
      await store.replaceAll([sample('third')]);
      assert.deepEqual((await contentOf(store)).chunks, byId([sample('third')]));
    });

    test(`after a load that failed at ${size} rows the next one works`, async store => {
      await fill(store);
      const thrown = new Error('The stream broke');
      const failing = () => {
        throw thrown;
      };
      const load = store.replaceAll(
        streamOf(samples(size, undefined, 'lost'), { [size]: failing }),
      );
      await assert.rejects(load, error => error === thrown);
      await store.replaceAll(streamOf(fresh(size)));
      assert.deepEqual((await contentOf(store)).chunks, byId(fresh(size)));
    });
  }

  test('of loads that begin at once one succeeds at least, and the store is as the last left it', async store => {
    await fill(store);
    const loads = ['a', 'b', 'c', 'd'].map(prefix => samples(SHORT, undefined, prefix));
    const results = await Promise.allSettled(loads.map(rows => store.replaceAll(streamOf(rows))));
    const { chunks } = await contentOf(store);
    const winners = loads.filter((_, index) => results[index]?.status === 'fulfilled');
    assert.ok(winners.some(rows => rows.every(({ id }) => chunks.has(id))));
    assert.equal(chunks.size, SHORT);
    for (const result of results) {
      assert.equal(
        result.status === 'rejected' ? result.reason.name : 'ConflictError',
        'ConflictError',
      );
    }
  });
}
