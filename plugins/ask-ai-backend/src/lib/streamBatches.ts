import { unlessAborted } from './unlessAborted';

const streamErrors = new WeakSet<object>();

/** Whether an error came out of a stream: it must not be taken for one of whoever reads the stream. */
export function isStreamError(error: unknown): error is Error {
  return error instanceof Error && streamErrors.has(error);
}

/**
 * The items of a stream in arrays of `size`, the last of which may be shorter. When the caller
 * leaves early or the signal aborts, the stream is let go of: its `return()` is called.
 *
 * @throws the signal's reason, also while the stream has nothing to give; what the stream throws.
 */
export async function* streamBatches<T>(
  stream: AsyncIterable<T> | Iterable<T>,
  size: number,
  signal?: AbortSignal,
): AsyncGenerator<T[]> {
  const iterator = iterate(stream);
  let isAnswering = false;
  let hasEnded = false;
  const next = async () => {
    isAnswering = true;
    try {
      const result = await iterator.next();
      hasEnded = result.done === true;
      return result;
    } catch (error) {
      hasEnded = true;
      if (error instanceof Error) {
        streamErrors.add(error);
      }
      throw error;
    } finally {
      isAnswering = false;
    }
  };
  try {
    let batch: T[] = [];
    for (;;) {
      signal?.throwIfAborted();
      const result = await unlessAborted(next(), signal);
      if (result.done) {
        break;
      }
      batch.push(result.value);
      if (batch.length === size) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) {
      yield batch;
    }
  } finally {
    if (!hasEnded) {
      const released = letGo(iterator);
      // A generator returns after it has answered, which may be never.
      if (!isAnswering) {
        await released;
      }
    }
  }
}

function iterate<T>(stream: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in stream
    ? stream[Symbol.asyncIterator]()
    : stream[Symbol.iterator]();
}

async function letGo(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // The caller gets to know why the stream was left, as `for await` has it.
  }
}
