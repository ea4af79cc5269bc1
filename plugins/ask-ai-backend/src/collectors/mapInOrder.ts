/**
 * Maps an iterable with up to `concurrency` calls under way; the results keep the order of the items.
 * Items are taken only as results are, so memory does not grow with the iterable. After an error, or
 * when the caller stops early, the calls under way are told by their signal.
 */
export async function* mapInOrder<T, R>(
  items: AsyncIterable<T>,
  map: (item: T, signal: AbortSignal) => Promise<R>,
  { concurrency, signal }: { concurrency: number; signal?: AbortSignal },
): AsyncGenerator<R> {
  const stop = new AbortController();
  const combined = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const underWay: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = map(item, combined);
      // Awaited later: without this a rejection in the meantime would end the process.
      result.catch(() => {});
      underWay.push(result);
      const oldest = underWay.length < concurrency ? undefined : underWay.shift();
      if (oldest) {
        yield await oldest;
      }
    }
    for (const result of underWay) {
      yield await result;
    }
  } finally {
    stop.abort();
  }
}
