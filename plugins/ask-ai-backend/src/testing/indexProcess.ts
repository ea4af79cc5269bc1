import { pollUntil } from '../../../../tests/services/poll';
import { HttpCollector } from './DocumentServer';
import { openRuntime } from './testRuntime';

/** What {@link main} is given, as JSON. */
export interface IndexProcessOptions {
  databaseUrl: string;
  embeddingUrl: string;
  /** Of a `DocumentServer`. */
  documentsUrl: string;
  /** Further configuration under `askAi`. */
  askAi?: Record<string, unknown>;
}

/** Nobody waits for so long. */
const LONGEST_RUN_MS = 300_000;

/**
 * A backend for tests to kill or to stop: opens the store, prints `started`, asks for a run, and prints
 * the status as JSON when a run has ended that was not one of a killed process.
 */
async function main(options: IndexProcessOptions): Promise<void> {
  const runtime = await openRuntime({
    ...options,
    collectors: [new HttpCollector(options.documentsUrl)],
  });
  process.stdout.write('started\n');
  const requestedAt = Date.now();
  await runtime.requestIndex({});
  const status = await pollUntil('The end of a run', LONGEST_RUN_MS, async () => {
    const { state, lastRun, ...others } = await runtime.status();
    const isOurs =
      lastRun &&
      Date.parse(lastRun.finishedAt) >= requestedAt &&
      !/killed/.test(lastRun.reason ?? '');
    return state === 'idle' && isOurs ? { state, lastRun, ...others } : undefined;
  });
  process.stdout.write(`${JSON.stringify(status)}\n`);
  await runtime.close();
}

main(JSON.parse(process.argv[2] ?? '{}')).catch(error => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
