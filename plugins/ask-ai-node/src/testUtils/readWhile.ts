import { setImmediate } from 'node:timers/promises';

/**
 * Reads again and again until the writer is done, and at least once after.
 *
 * @returns how often.
 */
export async function readWhile(
  writing: Promise<unknown>,
  read: () => Promise<void>,
): Promise<number> {
  let isDone = false;
  const done = writing.finally(() => {
    isDone = true;
  });
  let reads = 0;
  try {
    while (!isDone) {
      await read();
      reads++;
      // Lets a store without input and output get on with the writing.
      await setImmediate();
    }
  } finally {
    await done;
  }
  await read();
  return reads + 1;
}
