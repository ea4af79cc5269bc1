/**
 * A program for tests to kill: replaces all that is in the embedded store of the folder that its first
 * argument names, and stops at the moment that the second one names, after it printed `there`.
 */
import { openEmbeddedConnection } from '../database/embeddedConnection';
import { EMBEDDED_ROWS, openStore, rows } from './loadFixtures';

async function main(directory: string, moment: string): Promise<void> {
  const stopAt = (now: string) => {
    if (now === moment) {
      process.stdout.write('there\n');
      // For good: nothing else of this process goes on either.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }
  };
  const store = await openStore('', { connection: await openEmbeddedConnection(directory) });
  async function* stream() {
    yield* rows(EMBEDDED_ROWS, 'new');
    stopAt('stream');
  }
  await store.replaceAll(stream(), {
    onProgress: ({ indexed }) => stopAt(`indexed ${indexed}`),
  });
  stopAt('loaded');
}

main(process.argv[2] ?? '', process.argv[3] ?? '').catch(error => {
  process.stderr.write(`${error.name}: ${error.message}\n`);
  process.exitCode = 1;
});
