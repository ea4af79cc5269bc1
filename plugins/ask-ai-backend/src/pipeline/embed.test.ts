import type { EmbeddingProvider } from 'backstage-plugin-ask-ai-node';
import { describe, expect, it } from 'vitest';
import { InputTooLongError, ProviderError } from '../errors';
import { FakeClock } from '../testing/fakeClock';
import {
  FAKE_DIMENSIONS as DIMENSIONS,
  FakeEmbeddingProvider,
  fakeVector as vectorOf,
} from '../testing/fakeEmbeddingProvider';
import { type EmbedTextsOptions, embedQuery, embedTexts } from './embed';

function failure(changes: Partial<ConstructorParameters<typeof ProviderError>[1]> = {}) {
  return new ProviderError('as scripted', { provider: 'fake', isRetryable: true, ...changes });
}

const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`);

const options = (changes: Partial<EmbedTextsOptions> = {}): EmbedTextsOptions => ({
  purpose: 'document',
  expectedDimensions: DIMENSIONS,
  clock: new FakeClock(),
  random: () => 0.5,
  ...changes,
});

/** Positions of the texts that failed. */
async function failedPositions(provider: EmbeddingProvider, list: string[]): Promise<number[]> {
  const { results } = await embedTexts(provider, list, options());
  results.forEach((result, index) => {
    if ('vector' in result) expect(result.vector).toEqual(vectorOf(list[index] ?? ''));
  });
  return results.flatMap((result, index) => ('error' in result ? [index] : []));
}

describe('embedTexts', () => {
  it('embeds in batches, in order, and counts tokens and progress', async () => {
    const provider = new FakeEmbeddingProvider();
    const progress: number[] = [];
    const { results, tokens } = await embedTexts(
      provider,
      texts(10),
      options({ onProgress: done => progress.push(done) }),
    );
    expect(results).toEqual(texts(10).map(text => ({ vector: vectorOf(text) })));
    expect(tokens).toBe(10);
    expect(provider.calls.map(({ length }) => length)).toEqual([4, 4, 2]);
    expect(progress).toHaveLength(3);
    expect(progress.at(-1)).toBe(10);
  });

  it('calls nobody for no texts', async () => {
    const provider = new FakeEmbeddingProvider();
    await expect(embedTexts(provider, [], options())).resolves.toEqual({ results: [], tokens: 0 });
    expect(provider.calls).toEqual([]);
  });

  it.each([
    [undefined, 2],
    [1, 1],
    [9, 2],
  ])('keeps to the parallel calls that caller (%s) and provider allow', async (asked, most) => {
    const provider = new FakeEmbeddingProvider();
    await embedTexts(provider, texts(40), options({ maxParallelCalls: asked }));
    expect(provider.mostUnderWay).toBe(most);
  });

  it('tries again as long as the server asks', async () => {
    const clock = new FakeClock();
    const provider = new FakeEmbeddingProvider((_, { call }) => {
      if (call === 1) throw failure({ responseStatus: 429, retryAfterMs: 30_000 });
      return undefined;
    });
    const { results } = await embedTexts(provider, texts(1), options({ clock }));
    expect(results).toEqual([{ vector: vectorOf('text 0') }]);
    expect(clock.sleeps).toEqual([30_125]);
  });

  it('rejects when a server stays away, after some tries and without taking batches apart', async () => {
    const provider = new FakeEmbeddingProvider(() => {
      throw failure();
    });
    await expect(embedTexts(provider, texts(4), options())).rejects.toThrow('as scripted');
    expect(provider.calls).toEqual([...Array(5).fill(texts(4)), ['ping']]);
  });

  it.each([401, 403, 404])('rejects at once on %i', async responseStatus => {
    const provider = new FakeEmbeddingProvider(() => {
      throw failure({ isRetryable: false, responseStatus });
    });
    await expect(embedTexts(provider, texts(4), options())).rejects.toMatchObject({
      responseStatus,
    });
    expect(provider.calls).toHaveLength(1);
  });

  it('rejects at once on a bug of the provider', async () => {
    const provider = new FakeEmbeddingProvider(() => {
      throw new TypeError('not a function');
    });
    await expect(embedTexts(provider, texts(4), options())).rejects.toThrow('not a function');
    expect(provider.calls).toHaveLength(1);
  });

  it('stops the other calls when one rejects the whole', async () => {
    const signals: AbortSignal[] = [];
    let otherBegan = () => {};
    const other = new Promise<void>(resolve => {
      otherBegan = resolve;
    });
    const provider = new FakeEmbeddingProvider(async (list, { signal }) => {
      if (list.includes('text 0')) {
        await other;
        throw failure({ isRetryable: false, responseStatus: 401 });
      }
      if (signal) signals.push(signal);
      otherBegan();
      return new Promise(() => {});
    });
    await expect(embedTexts(provider, texts(40), options())).rejects.toThrow('as scripted');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(provider.calls).toHaveLength(2);
  });

  it.each([
    ['a status of 400', () => failure({ isRetryable: false, responseStatus: 400 })],
    ['a status of 500 every time', () => failure({ responseStatus: 500 })],
  ])('lets the guilty text alone fail on %s', async (_, error) => {
    const provider = new FakeEmbeddingProvider(list => {
      if (list.includes('text 5') || list.includes('text 6')) throw error();
      return undefined;
    });
    await expect(failedPositions(provider, texts(10))).resolves.toEqual([5, 6]);
  });

  it.each<[string, (vector: Float32Array) => Float32Array]>([
    ['NaN', vector => vector.fill(Number.NaN, 0, 1)],
    ['Infinity', vector => vector.fill(Number.POSITIVE_INFINITY, 3, 4)],
    ['zeros', vector => vector.fill(0)],
    ['another dimension', vector => vector.slice(1)],
  ])('lets the guilty text alone fail on a vector with %s', async (_, spoil) => {
    const provider = new FakeEmbeddingProvider(list => ({
      vectors: list.map(text => (text === 'text 2' ? spoil(vectorOf(text)) : vectorOf(text))),
    }));
    await expect(failedPositions(provider, texts(9))).resolves.toEqual([2]);
  });

  it('does not believe a wrong number of vectors', async () => {
    const provider = new FakeEmbeddingProvider((list, { call }) =>
      call === 1 ? { vectors: list.slice(1).map(vectorOf) } : undefined,
    );
    await expect(failedPositions(provider, texts(3))).resolves.toEqual([]);
  });

  it('rejects on the first answer of another dimension', async () => {
    const provider = new FakeEmbeddingProvider(list => ({
      vectors: list.map(text => vectorOf(text).slice(2)),
    }));
    await expect(embedTexts(provider, texts(9), options())).rejects.toMatchObject({
      name: 'DimensionMismatchError',
      expected: DIMENSIONS,
      received: DIMENSIONS - 2,
      statusCode: 500,
    });
    expect(provider.calls.length).toBeLessThanOrEqual(4);
  });

  it('takes the dimension of the first answer when none is expected', async () => {
    const provider = new FakeEmbeddingProvider((list, { call }) => ({
      vectors: list.map(text => vectorOf(text).slice(call === 1 ? 0 : 1)),
    }));
    provider.maxParallelCalls = 1;
    await expect(
      embedTexts(provider, texts(5), options({ expectedDimensions: undefined })),
    ).rejects.toMatchObject({ name: 'DimensionMismatchError', expected: DIMENSIONS });
  });

  describe('with texts that are too long', () => {
    const long = (words: number, name: string) =>
      Array.from({ length: words }, (_, index) => `${name}${index}`).join(' ');

    /** Takes ten words. */
    const short = () =>
      new FakeEmbeddingProvider(list => {
        if (list.some(text => text.split(' ').length > 10)) {
          throw new InputTooLongError('too long', { provider: 'fake', responseStatus: 400 });
        }
        return undefined;
      });

    it('gives them the direction of their pieces, and the others their own', async () => {
      const list = ['text 0', long(35, 'a'), 'text 2', long(12, 'b')];
      const { results } = await embedTexts(short(), list, options());
      expect(results[0]).toEqual({ vector: vectorOf('text 0') });
      expect(results[2]).toEqual({ vector: vectorOf('text 2') });
      for (const position of [1, 3]) {
        const result = results[position];
        const vector = result && 'vector' in result ? result.vector : new Float32Array();
        expect(vector).toHaveLength(DIMENSIONS);
        expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
      }
    });

    it('gives a text the same vector whatever is embedded with it', async () => {
      const text = long(35, 'a');
      const alone = await embedTexts(short(), [text], options());
      const amongOthers = await embedTexts(
        short(),
        [...texts(6), text, long(20, 'b'), ...texts(3)],
        options(),
      );
      expect(amongOthers.results[6]).toEqual(alone.results[0]);
    });

    it('gives up on a text that is too long at any length', async () => {
      const provider = new FakeEmbeddingProvider(list => {
        if (list.some(text => text.includes('a'))) {
          throw new InputTooLongError('too long', { provider: 'fake' });
        }
        return undefined;
      });
      const { results } = await embedTexts(provider, [long(50, 'a'), 'text'], options());
      expect(results).toEqual([
        { error: expect.any(InputTooLongError) },
        { vector: vectorOf('text') },
      ]);
    });

    it('rejects when even a word is too long for the server', async () => {
      const provider = new FakeEmbeddingProvider(() => {
        throw new InputTooLongError('too long', { provider: 'fake' });
      });
      await expect(embedTexts(provider, texts(3), options())).rejects.toThrow('too long');
    });
  });

  it('rejects at once when the signal aborts, even if the provider goes on', async () => {
    const controller = new AbortController();
    const provider = new FakeEmbeddingProvider(() => {
      controller.abort(new Error('shutting down'));
      return new Promise(() => {});
    });
    await expect(
      embedTexts(provider, texts(9), options({ signal: controller.signal })),
    ).rejects.toThrow('shutting down');
  });

  it('calls nobody when the signal has aborted', async () => {
    const provider = new FakeEmbeddingProvider();
    const signal = AbortSignal.abort(new Error('shut down'));
    await expect(embedTexts(provider, texts(1), options({ signal }))).rejects.toThrow('shut down');
    expect(provider.calls).toEqual([]);
  });
});

describe('embedQuery', () => {
  const queryOptions = (clock = new FakeClock()) => ({ clock, random: () => 0.5 });

  it('gives the vector of the question', async () => {
    const purposes: string[] = [];
    const provider = new FakeEmbeddingProvider((_, { purpose }) => {
      purposes.push(purpose);
      return undefined;
    });
    await expect(embedQuery(provider, 'why?', queryOptions())).resolves.toEqual(vectorOf('why?'));
    expect(purposes).toEqual(['query']);
  });

  it('tries once more, at once', async () => {
    const clock = new FakeClock();
    const provider = new FakeEmbeddingProvider((_, { call }) => {
      if (call === 1) throw failure();
      return undefined;
    });
    await embedQuery(provider, 'why?', queryOptions(clock));
    expect(clock.time).toBeLessThanOrEqual(100);
  });

  it('rejects with the error of the server, soon', async () => {
    const clock = new FakeClock();
    const provider = new FakeEmbeddingProvider(() => {
      throw failure();
    });
    await expect(embedQuery(provider, 'why?', queryOptions(clock))).rejects.toThrow('as scripted');
    expect(provider.calls).toHaveLength(2);
    expect(clock.time).toBeLessThanOrEqual(100);
  });

  it('embeds a question that is too long in pieces', async () => {
    const provider = new FakeEmbeddingProvider(list => {
      if ((list[0]?.length ?? 0) > 60)
        throw new InputTooLongError('too long', { provider: 'fake' });
      return undefined;
    });
    await expect(
      embedQuery(provider, 'why is it so? '.repeat(20), queryOptions()),
    ).resolves.toHaveLength(DIMENSIONS);
  });
});
