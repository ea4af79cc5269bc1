import { setImmediate } from 'node:timers/promises';
import type {
  EmbeddingStream,
  EmbeddingVector,
  LoadOptions,
  LoadResult,
} from 'backstage-plugin-ask-ai-node';
import { reportAtTimes } from '../../lib/reportAtTimes';
import { streamBatches } from '../../lib/streamBatches';

/** Searches wait while a batch is written: about 17 ms with texts of 130 words. */
const ROWS_PER_BATCH = 200;

/**
 * Writes a stream in batches and lets others have their turn after each.
 *
 * @param closing - ends it as the caller's signal does.
 * @param write - takes a batch and how many embeddings came before it, in one synchronous step.
 * @throws what `write`, `onProgress` or the stream throws; the reason of a signal.
 */
export async function writeStream(
  embeddings: EmbeddingStream,
  options: LoadOptions,
  closing: AbortSignal,
  write: (batch: EmbeddingVector[], firstIndex: number) => void,
): Promise<LoadResult> {
  const signal = options.signal ? AbortSignal.any([options.signal, closing]) : closing;
  const report = (rowsWritten: number) => options.onProgress?.({ phase: 'writing', rowsWritten });
  const reportOnTheWay = reportAtTimes(report);
  let received = 0;
  for await (const batch of streamBatches(embeddings, ROWS_PER_BATCH, signal)) {
    write(batch, received);
    received += batch.length;
    reportOnTheWay(received);
    // A stream that needs not wait for anything would keep the process to itself.
    await setImmediate();
  }
  report(received);
  return { received };
}
