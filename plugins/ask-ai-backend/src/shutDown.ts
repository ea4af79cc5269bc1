import { setTimeout as delay } from 'node:timers/promises';
import type { LoggerService } from '@backstage/backend-plugin-api';
import type { OpenRequests } from './router/OpenRequests';
import type { AskAiRuntime } from './runtime';

/** Of the time, this part is for requests to end by themselves; in the rest they are aborted. */
const PATIENT_PART = 0.7;

/**
 * Takes no more work, ends what is under way and releases everything, within the time. What takes longer is
 * left to the end of the process, which is safe: writes are transactions, and the next start does the index
 * run anew.
 */
export async function shutDown(options: {
  runtime: Pick<AskAiRuntime, 'stopIndexing' | 'close'>;
  requests: OpenRequests;
  timeoutMillis: number;
  logger: Pick<LoggerService, 'warn'>;
}): Promise<void> {
  const { runtime, requests, timeoutMillis, logger } = options;
  const end = async () => {
    await Promise.all([runtime.stopIndexing(), requests.end(PATIENT_PART * timeoutMillis)]);
    await runtime.close();
  };
  const inTime = new AbortController();
  const overdue = delay(timeoutMillis, 'overdue', { signal: inTime.signal }).catch(() => {});
  if ((await Promise.race([end(), overdue])) === 'overdue') {
    logger.warn(
      `Not everything had ended ${timeoutMillis} ms after the shutdown began: ${requests.count} requests were open`,
    );
  }
  inTime.abort();
}
