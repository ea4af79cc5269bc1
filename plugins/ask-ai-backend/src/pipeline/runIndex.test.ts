import { mockServices } from '@backstage/backend-test-utils';
import type { IVectorStore } from 'backstage-plugin-ask-ai-node';
import { beforeEach, describe, expect, it } from 'vitest';
import { ProviderError } from '../errors';
import { InMemoryRunStore } from '../services/InMemoryRunStore';
import { InMemoryVectorStore } from '../services/InMemoryVectorStore';
import { FakeCollector } from '../testing/FakeCollector';
import { FAKE_DIMENSIONS, FakeEmbeddingProvider } from '../testing/fakeEmbeddingProvider';
import type { RunStore } from '../types';
import { type RunIndexOptions, runIndex } from './runIndex';

const SPACE = { provider: 'fake', model: 'fake', dimensions: FAKE_DIMENSIONS, chunkerVersion: 1 };
const A = 'component:default/a';
const B = 'component:default/b';
const C = 'component:default/c';

describe('runIndex', () => {
  let store: IVectorStore;
  let runs: RunStore;
  let catalog: FakeCollector;
  let techdocs: FakeCollector;
  let embeddingProvider: FakeEmbeddingProvider;

  const embedded = () => embeddingProvider.calls.flat();

  beforeEach(() => {
    store = InMemoryVectorStore.create({ dimensions: FAKE_DIMENSIONS });
    runs = InMemoryRunStore.create();
    catalog = new FakeCollector('catalog', {
      [A]: ['about a'],
      [B]: ['about b'],
      [C]: ['about c'],
    });
    techdocs = new FakeCollector('techdocs', { [A]: ['setup', 'usage', 'limits'] }, true);
    embeddingProvider = new FakeEmbeddingProvider();
  });

  const run = (
    overrides: Partial<RunIndexOptions> = {},
    {
      entityRef,
      signal = new AbortController().signal,
    }: { entityRef?: string; signal?: AbortSignal } = {},
  ) =>
    runIndex(
      { id: 'run', entityRef },
      {
        store,
        runs,
        collectors: [catalog, techdocs],
        embeddingProvider,
        spaces: { claim: async () => SPACE },
        chunkSize: 100,
        chunkOverlap: 10,
        maxVanishedRatio: 0.5,
        redact: text => text,
        redactionFingerprint: 'none',
        logger: mockServices.logger.mock(),
        ...overrides,
      },
      { signal, onProgress: () => {} },
    );

  it('embeds every document once and nothing in the second run', async () => {
    const first = await run();
    expect(first).toMatchObject({
      reasons: [],
      progress: {
        documents: { seen: 4, changed: 4, removed: 0, failed: 0 },
        chunks: { embedded: 6 },
      },
    });
    expect(await store.stats()).toEqual({ vectorCount: 6, entityCount: 3 });

    embeddingProvider = new FakeEmbeddingProvider();
    techdocs.loaded.length = 0;
    const second = await run();
    expect(second.progress).toMatchObject({
      documents: { seen: 4, changed: 0, removed: 0, failed: 0 },
      chunks: { embedded: 0, skipped: 6, removed: 0 },
    });
    expect(embedded()).toEqual([]);
    expect(techdocs.loaded).toEqual([]);
  });

  it('embeds exactly the chunks that changed', async () => {
    await run();
    embeddingProvider = new FakeEmbeddingProvider();
    techdocs.documents.set(A, ['setup', 'usage, rewritten', 'limits']);
    const { progress } = await run();
    expect(embedded()).toHaveLength(1);
    expect(embedded()[0]).toContain('usage, rewritten');
    expect(progress.chunks).toEqual({ embedded: 1, skipped: 5, removed: 1 });
  });

  it('removes the tail of a document that shrank', async () => {
    await run();
    techdocs.documents.set(A, ['setup']);
    const { progress } = await run();
    expect(progress.chunks).toMatchObject({ embedded: 0, removed: 2 });
    expect(await store.document({ entityId: A, source: 'techdocs' })).toMatchObject({
      chunkCount: 1,
    });
    expect(await store.count(A)).toBe(2);
  });

  it('removes the rows of an entity that vanished, and only those', async () => {
    await run();
    catalog.documents.delete(B);
    const { progress, reasons } = await run();
    expect(reasons).toEqual([]);
    expect(progress).toMatchObject({ documents: { removed: 1 }, chunks: { removed: 1 } });
    expect(await store.count(B)).toBe(0);
    expect(await store.count()).toBe(5);
  });

  it('removes nothing when a collector breaks down, and goes on with the other sources', async () => {
    await run();
    catalog.documents.delete(B);
    catalog.breakDown('The catalog does not answer.');
    techdocs.documents.set(C, ['new']);
    const { progress, reasons } = await run();
    expect(reasons).toEqual(['The catalog does not answer.']);
    expect(progress.documents).toMatchObject({ changed: 1, removed: 0 });
    expect(await store.count(B)).toBe(1);
    expect(await store.count(C)).toBe(2);
  });

  it('removes nothing when a collector finds nothing where there was something', async () => {
    await run();
    catalog.documents.clear();
    const { progress, reasons } = await run();
    expect(reasons).toEqual([
      expect.stringMatching(/3 of 3 catalog documents vanished.*maxVanishedRatio/),
    ]);
    expect(progress.documents.removed).toBe(0);
    expect(await store.count()).toBe(6);
  });

  it('removes nothing when more vanished than the threshold allows', async () => {
    for (let index = 0; index < 20; index++) {
      catalog.documents.set(`component:default/n${index}`, [`about ${index}`]);
    }
    await run();
    for (let index = 0; index < 13; index++) {
      catalog.documents.delete(`component:default/n${index}`);
    }
    expect((await run()).reasons).toEqual([expect.stringContaining('13 of 23')]);
    expect((await run({ maxVanishedRatio: 0.6 })).reasons).toEqual([]);
    expect(await store.count()).toBe(13);
  });

  it('records a document that fails, indexes the others, and forgets it when it succeeds', async () => {
    catalog.documents.set(B, new Error('B can not be read.'));
    const { progress, reasons } = await run();
    expect(reasons).toEqual([]);
    expect(progress.documents).toMatchObject({ seen: 4, changed: 3, failed: 1 });
    expect(await runs.failures(10)).toEqual([
      { entityId: B, source: 'catalog', reason: 'B can not be read.' },
    ]);

    catalog.documents.set(B, ['about b']);
    await run();
    expect(await runs.failures(10)).toEqual([]);
    expect(await store.count(B)).toBe(1);
  });

  it('keeps the old version of a document that can no longer be read', async () => {
    await run();
    catalog.documents.set(B, new Error('B can not be read.'));
    await run();
    expect(await store.count(B)).toBe(1);
  });

  it('fails as a whole, with nothing lost, when the model server is away', async () => {
    await run();
    catalog.documents.set(A, ['about a, changed']);
    const away = new FakeEmbeddingProvider(() => {
      throw new ProviderError('The server refuses the key.', {
        provider: 'fake',
        isRetryable: false,
        responseStatus: 401,
      });
    });
    await expect(run({ embeddingProvider: away })).rejects.toThrow('refuses the key');
    expect(await store.stats()).toEqual({ vectorCount: 6, entityCount: 3 });
  });

  it('indexes one entity and leaves the others alone', async () => {
    await run();
    catalog.documents.set(A, ['about a, changed']);
    catalog.documents.set(B, ['about b, changed']);
    const { progress } = await run({}, { entityRef: A });
    expect(progress.documents).toEqual({ seen: 2, changed: 1, removed: 0, failed: 0 });
    expect(progress.chunks).toMatchObject({ embedded: 1, removed: 1 });
  });

  it('leaves nothing of a source that is turned off', async () => {
    await run();
    const { reasons } = await run({ collectors: [catalog] });
    expect(reasons).toEqual([]);
    expect(await store.count()).toBe(3);
  });

  it('chunks everything anew when the sizes or the redaction change', async () => {
    await run();
    expect((await run({ chunkSize: 90 })).progress.documents.changed).toBe(4);
    const redacted = await run({
      chunkSize: 90,
      redact: text => text.replace('usage', '[redacted: word]'),
      redactionFingerprint: 'words',
    });
    expect(redacted.progress.documents.changed).toBe(4);
    expect(redacted.progress.chunks.embedded).toBe(1);
  });

  it('stops at once when it is cancelled', async () => {
    const controller = new AbortController();
    controller.abort(new Error('Cancelled.'));
    await expect(run({}, { signal: controller.signal })).rejects.toThrow('Cancelled.');
    expect(await store.count()).toBe(0);
  });
});
