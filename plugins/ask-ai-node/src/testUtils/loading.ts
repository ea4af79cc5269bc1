import assert from 'node:assert/strict';
import type {
  EmbeddingStream,
  EmbeddingVector,
  IVectorStore,
  LoadOptions,
  LoadProgress,
  LoadResult,
} from '../vectorStore';
import { assertRejects, at, byId, idsOf, sample, samples } from './samples';
import { contentOf, fill, LONG, SHORT, SIZES, streamOf, syncStreamOf } from './streams';
import { DIMENSIONS, type Suite } from './suite';

type Load = (
  store: IVectorStore,
  embeddings: EmbeddingStream,
  options?: LoadOptions,
) => Promise<LoadResult>;

const LOADS: Record<'storeAll' | 'replaceAll', Load> = {
  storeAll: (store, embeddings, options) => store.storeAll(embeddings, options),
  replaceAll: (store, embeddings, options) => store.replaceAll(embeddings, options),
};

const FORMS: Record<string, (items: EmbeddingVector[]) => EmbeddingStream> = {
  'an array': items => items,
  'a set': items => new Set(items),
  'a generator': items => syncStreamOf(items),
  'an async generator': items => streamOf(items),
};

/** Reports in a second that count as a few. */
const MAX_REPORTS_PER_SECOND = 10;

/** Over less than half a circle: a search by an index never has to find its way around a gap. */
const spread = (count: number) => samples(count, index => ({ vector: at(index / 20) }));

/** What storeAll and replaceAll have in common, then what storeAll alone does. */
export function describeLoading(suite: Suite): void {
  for (const [name, load] of Object.entries(LOADS)) {
    suite.describe(name, () => {
      describeStreams(suite, load);
      describeFailures(suite, load, name === 'replaceAll');
      describeAborts(suite, load, name === 'replaceAll');
    });
  }
  suite.describe('storeAll of a filled store', () => describeAdding(suite));
  suite.describe('storeAll of an empty store', () => describeFilling(suite));
}

function describeStreams({ test }: Suite, load: Load): void {
  test('a stream may be an array, a set, a generator or an async generator', async store => {
    for (const [form, streamFrom] of Object.entries(FORMS)) {
      const embeddings = samples(SHORT, () => ({ content: form }));
      assert.deepEqual(await load(store, streamFrom(embeddings)), { received: SHORT });
      assert.deepEqual((await contentOf(store)).chunks, byId(embeddings));
    }
  });

  test('thousands of rows are loaded into an empty store, found after it, and told on the way', async store => {
    const embeddings = samples(LONG, index => ({
      vector: at(index / 20),
      entityId: `component:default/e${index % 3}`,
      content: index === 1_234 ? 'the needle' : 'hay',
    }));
    const reports: LoadProgress[] = [];
    const startedAt = performance.now();
    const result = await load(store, streamOf(embeddings), {
      onProgress: progress => reports.push({ ...progress }),
    });
    const seconds = (performance.now() - startedAt) / 1_000;
    assert.deepEqual(result, { received: LONG });
    assert.equal(await store.count(), LONG);
    assert.deepEqual(await store.stats(), { vectorCount: LONG, entityCount: 3 });
    assert.deepEqual(idsOf(await store.search(at(0), 2)), ['chunk-0000', 'chunk-0001']);
    assert.deepEqual(idsOf(await store.search(at(0), 1, 'component:default/e2')), ['chunk-0002']);
    const matches = await store.searchRanked({ mode: 'keyword', text: 'needle', topK: 5 });
    assert.deepEqual(idsOf(matches), ['chunk-1234']);
    assertMonotonic(reports, LONG);
    assert.ok(
      reports.length <= MAX_REPORTS_PER_SECOND * (seconds + 1),
      `${reports.length} reports in ${seconds} s`,
    );
  });

  for (const size of SIZES) {
    test(`of equal ids in ${size} rows the last one wins, however far apart they are`, async store => {
      const distinct = size / 2 + 1;
      const embeddings = Array.from({ length: size }, (_, index) =>
        sample(`chunk-${index % distinct}`, { content: `row ${index}`, vector: at(index / 20) }),
      );
      assert.deepEqual(await load(store, embeddings), { received: size });
      assert.deepEqual((await contentOf(store)).chunks, byId(embeddings));
    });
  }

  test('a store may be fed by its own export', async store => {
    await store.storeBatch(spread(SHORT));
    assert.deepEqual(await load(store, store.export()), { received: SHORT });
    assert.deepEqual((await contentOf(store)).chunks, byId(spread(SHORT)));
  });
}

function describeFailures({ test }: Suite, load: Load, isAtomic: boolean): void {
  for (const size of SIZES) {
    test(`a bad one late in ${size} rows is refused with its position in the stream`, async store => {
      const before = await fill(store);
      const bad: Record<string, ArrayLike<number>> = {
        InvalidVectorError: new Float32Array(DIMENSIONS),
        DimensionMismatchError: at(0, DIMENSIONS - 1),
      };
      for (const [name, vector] of Object.entries(bad)) {
        const embeddings = samples(size);
        embeddings[size - 2] = sample('bad', { vector });
        const call = () => load(store, streamOf(embeddings));
        const error = await assertRejects(call, name, { statusCode: 400 });
        assert.equal((error as { index?: number }).index, size - 2);
        await assertUsable(store, before.chunks, isAtomic);
      }
    });

    test(`what the stream throws after ${size - 1} rows is what the load rejects with`, async store => {
      const before = await fill(store);
      const thrown = new Error('The stream broke');
      const failing = () => {
        throw thrown;
      };
      for (const stream of [streamOf, syncStreamOf]) {
        await assertRejectsWith(
          load(store, stream(samples(size), { [size - 1]: failing })),
          thrown,
        );
        await assertUsable(store, before.chunks, isAtomic);
      }
    });
  }

  test('closing the store ends a load', async store => {
    let closing: Promise<void> | undefined;
    const close = () => {
      closing = store.close();
    };
    await assertRejects(
      () => load(store, streamOf(samples(LONG), { 10: close })),
      'VectorStoreUnavailableError',
    );
    await closing;
  });
}

function describeAborts({ test }: Suite, load: Load, isAtomic: boolean): void {
  for (const size of SIZES) {
    test(`abort ends a load of ${size} rows, which lets go of the stream`, async store => {
      const before = await fill(store);
      for (const stream of [streamOf, syncStreamOf]) {
        const controller = new AbortController();
        const reason = new Error('No longer wanted');
        let letGo = () => {};
        const released = new Promise<void>(resolve => {
          letGo = resolve;
        });
        const calls = {
          [size / 2]: () => controller.abort(reason),
          [size]: () => assert.fail('The stream was read to its end'),
        };
        const { signal } = controller;
        await assertRejectsWith(
          load(store, stream(samples(size), calls, letGo), { signal }),
          reason,
        );
        await released;
        await assertUsable(store, before.chunks, isAtomic);
      }
    });
  }

  test('abort ends a load whose stream gives nothing any more', async store => {
    const before = await fill(store);
    const controller = new AbortController();
    const stall = () => {
      setImmediate(() => controller.abort());
      return new Promise<never>(() => {});
    };
    const { signal } = controller;
    const call = () => load(store, streamOf(samples(SHORT), { 3: stall }), { signal });
    await assertRejects(call, 'AbortError');
    await assertUsable(store, before.chunks, isAtomic);
  });

  test('a signal that aborted before lets nothing be loaded', async store => {
    const before = await fill(store);
    const reason = new Error('Never wanted');
    const signal = AbortSignal.abort(reason);
    await assertRejectsWith(load(store, samples(SHORT), { signal }), reason);
    assert.deepEqual(await contentOf(store), before);
  });
}

function describeAdding({ test }: Suite): void {
  test('thousands of rows are added, and replace what has the same id', async store => {
    const before = await fill(store);
    await store.storeBatch(spread(100));
    const embeddings = samples(LONG, index => ({ content: 'new', vector: at(index / 20) }));
    assert.deepEqual(await store.storeAll(streamOf(embeddings)), { received: LONG });
    const { chunks, records } = await contentOf(store);
    assert.deepEqual(chunks, new Map([...before.chunks, ...byId(embeddings)]));
    assert.deepEqual(records, before.records);
  });

  test('an empty stream changes nothing', async store => {
    const before = await fill(store);
    assert.deepEqual(await store.storeAll([]), { received: 0 });
    assert.deepEqual(await store.storeAll(streamOf([])), { received: 0 });
    assert.deepEqual(await contentOf(store), before);
  });

  test('what is written between the rows of a stream stands beside them', async store => {
    const embeddings = samples(SHORT, () => ({ content: 'streamed' }));
    const other = sample('other');
    const calls = { 3: () => store.store(other), 5: () => store.storeAll([sample('another')]) };
    assert.deepEqual(await store.storeAll(streamOf(embeddings, calls)), { received: SHORT });
    const expected = byId([...embeddings, other, sample('another')]);
    assert.deepEqual((await contentOf(store)).chunks, expected);
  });
}

function describeFilling({ test }: Suite): void {
  test('a stream of another store that breaks is no stream that ended', async store => {
    const thrown = Object.assign(new Error('Of another store'), { name: 'ConflictError' });
    const failing = () => {
      throw thrown;
    };
    const load = store.storeAll(streamOf(samples(LONG), { [LONG - 1]: failing }));
    await assertRejectsWith(load, thrown);
    assert.deepEqual(await store.storeAll(streamOf(spread(LONG))), { received: LONG });
    assert.deepEqual((await contentOf(store)).chunks, byId(spread(LONG)));
  });

  test('the reason of a signal may be anything', async store => {
    for (const reason of ['enough', undefined, Object.assign(new Error('!'), { code: '42501' })]) {
      const controller = new AbortController();
      const stream = streamOf(samples(LONG), { [LONG - 1]: () => controller.abort(reason) });
      const { signal } = controller;
      await assert.rejects(store.storeAll(stream, { signal }), error => error === signal.reason);
    }
  });
}

/** What was there is there still, with nothing beside it if the load was to be atomic. */
async function assertUsable(
  store: IVectorStore,
  before: Map<string, object>,
  isAtomic: boolean,
): Promise<void> {
  const { chunks } = await contentOf(store);
  const kept = [...chunks].filter(([id]) => isAtomic || before.has(id));
  assert.deepEqual(new Map(kept), before);
  assert.equal((await store.search(at(0), 5, 'component:default/other')).length, 0);
  const other = sample('other', { entityId: 'component:default/other' });
  assert.deepEqual(await store.storeAll([other]), { received: 1 });
  assert.deepEqual(idsOf(await store.search(at(0), 5, 'component:default/other')), ['other']);
  await store.clear('component:default/other');
}

function assertMonotonic(reports: LoadProgress[], rows: number): void {
  let last = 0;
  for (const { rowsWritten } of reports) {
    assert.ok(rowsWritten >= last, `${rowsWritten} rows after ${last}`);
    last = rowsWritten;
  }
  assert.equal(last, rows, 'rows in the last report');
}

/** With this very reason, whatever its name. */
async function assertRejectsWith(call: Promise<unknown>, reason: unknown): Promise<void> {
  await assert.rejects(call, error => {
    assert.equal(error, reason);
    return true;
  });
}
