import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';

const RUN_NODE = new URL('runNode.mjs', import.meta.url).href;

/** Prints its process id, then each SIGTERM; ends with 7 at a SIGINT. */
const PROGRAM = `
  process.on('SIGTERM', () => console.log('SIGTERM'));
  process.on('SIGINT', () => process.exit(7));
  console.log(process.pid);
  setInterval(() => undefined, 1000);`;

/** Runs PROGRAM by way of runNode in a process of its own. */
async function startWrapper() {
  const wrapper = spawn(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { runNode } from ${JSON.stringify(RUN_NODE)};
     process.exitCode = await runNode(['--eval', ${JSON.stringify(PROGRAM)}]);`,
  ]);
  const lines = createInterface({ input: wrapper.stdout })[Symbol.asyncIterator]();
  const { value: pid } = await lines.next();
  return { wrapper, lines, pid: Number(pid) };
}

it('passes a signal on, once, and the exit code back', async () => {
  const { wrapper, lines } = await startWrapper();
  wrapper.kill('SIGTERM');
  wrapper.kill('SIGTERM');
  expect(await lines.next()).toEqual({ done: false, value: 'SIGTERM' });
  // A second Ctrl-C of an impatient person comes later than the repeats that are dropped.
  while (wrapper.exitCode === null) {
    wrapper.kill('SIGINT');
    await new Promise(setImmediate);
  }
  expect(wrapper.exitCode).toBe(7);
  expect(await lines.next()).toEqual({ done: true, value: undefined });
});

it('takes the program with it when it is killed', async () => {
  const { wrapper, pid } = await startWrapper();
  wrapper.kill('SIGKILL');
  await once(wrapper, 'exit');
  await expect.poll(() => isRunning(pid)).toBe(false);
});

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
