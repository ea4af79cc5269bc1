import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FakeEmbeddingProvider, fakeVector } from '../testing/fakeEmbeddingProvider';
import { MemoryCache } from '../testing/MemoryCache';
import { CachedEmbeddingProvider } from './CachedEmbeddingProvider';

const OPTIONS = { ttlMs: 60_000, maxEntries: 100, maxBytes: 1_000_000, timeoutMs: 100 };

const question = { purpose: 'query' } as const;

describe('CachedEmbeddingProvider', () => {
  it('asks the model once for a question, however often and by however many it is asked', async () => {
    const model = new FakeEmbeddingProvider();
    const cached = CachedEmbeddingProvider.create(model, OPTIONS);
    const ask = () => cached.embed(['What is it?'], question);
    const answers = await Promise.all(Array.from({ length: 100 }, ask));
    for (const { vectors } of [...answers, await ask()]) {
      expect(vectors).toEqual([fakeVector('What is it?')]);
      vectors[0]?.fill(0);
    }
    expect((await ask()).vectors).toEqual([fakeVector('What is it?')]);
    expect(model.calls).toEqual([['What is it?']]);
  });

  it('embeds documents, and several texts, each time', async () => {
    const model = new FakeEmbeddingProvider();
    const cached = CachedEmbeddingProvider.create(model, OPTIONS);
    for (let time = 0; time < 2; time++) {
      await cached.embed(['a'], { purpose: 'document' });
      await cached.embed(['a', 'b'], question);
      await cached.embed([], question);
    }
    expect(model.calls).toHaveLength(6);
  });

  it.each([
    ['an error', new Error('down')],
    ['zeros', { vectors: [new Float32Array(8)] }],
    ['no number', { vectors: [Float32Array.of(Number.NaN)] }],
    ['no vector', { vectors: [] }],
  ])('does not keep %s', async (_, result) => {
    const model = new FakeEmbeddingProvider((_texts, { call }) => {
      if (call > 1) return undefined;
      if (result instanceof Error) throw result;
      return result;
    });
    const cached = CachedEmbeddingProvider.create(model, OPTIONS);
    await cached.embed(['a'], question).catch(() => undefined);
    expect((await cached.embed(['a'], question)).vectors).toEqual([fakeVector('a')]);
    expect(model.calls).toHaveLength(2);
  });

  it('goes on for those who wait when one of them leaves, and ends when all have left', async () => {
    let underWay: AbortSignal | undefined;
    let answer = () => {};
    const model = new FakeEmbeddingProvider((texts, { signal }) => {
      underWay = signal;
      return new Promise(resolve => {
        answer = () => resolve({ vectors: texts.map(fakeVector) });
      });
    });
    const cached = CachedEmbeddingProvider.create(model, OPTIONS);
    const leaving = new AbortController();
    const left = cached.embed(['a'], { ...question, signal: leaving.signal });
    const stays = cached.embed(['a'], question);
    while (!underWay) await setImmediate();
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    expect(underWay.aborted).toBe(false);
    answer();
    expect((await stays).vectors).toEqual([fakeVector('a')]);
    underWay = undefined;
    const last = new AbortController();
    const ended = cached.embed(['b'], { ...question, signal: last.signal });
    while (!underWay) await setImmediate();
    last.abort(new Error('left'));
    await expect(ended).rejects.toThrow('left');
    expect((underWay as AbortSignal).aborted).toBe(true);
  });

  it('shares with other replicas what is of the same space', async () => {
    const cache = new MemoryCache();
    const models = [undefined, undefined, 8].map(dimensions => {
      const model = new FakeEmbeddingProvider();
      const cached = CachedEmbeddingProvider.create(model, { ...OPTIONS, cache, dimensions });
      return { model, cached };
    });
    for (const { cached } of models) {
      expect((await cached.embed(['a'], question)).vectors).toEqual([fakeVector('a')]);
      await setImmediate();
    }
    expect(models.map(({ model }) => model.calls.length)).toEqual([1, 0, 1]);
  });
});
