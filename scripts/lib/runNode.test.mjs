import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';

const RUN_NODE = new URL('runNode.mjs', import.meta.url).href;

/** Prints `ready`, then each signal; ends with exit code 7 a moment after the first. */
const PROGRAM = `
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.on(name, () => {
      console.log('signal');
      setTimeout(() => process.exit(7), 200);
    });
  }
  setInterval(() => undefined, 1000);
  console.log('ready');`;

/** Runs PROGRAM by way of runNode in a process of its own. Its output ends when both have ended. */
async function startWrapper() {
  const wrapper = spawn(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { runNode } from ${JSON.stringify(RUN_NODE)};
     process.exitCode = await runNode(['--eval', ${JSON.stringify(PROGRAM)}]);`,
  ]);
  const lines = createInterface({ input: wrapper.stdout })[Symbol.asyncIterator]();
  expect(await lines.next()).toEqual({ done: false, value: 'ready' });
  return { wrapper, lines };
}

it('passes a signal on, once, and the exit code back', async () => {
  const { wrapper, lines } = await startWrapper();
  const exited = once(wrapper, 'exit');
  wrapper.kill('SIGTERM');
  wrapper.kill('SIGINT');
  wrapper.kill('SIGTERM');
  expect(await lines.next()).toEqual({ done: false, value: 'signal' });
  expect(await lines.next()).toEqual({ done: true, value: undefined });
  expect(await exited).toEqual([7, null]);
});

it('takes the program with it when it is killed', async () => {
  const { wrapper, lines } = await startWrapper();
  wrapper.kill('SIGKILL');
  expect(await lines.next()).toEqual({ done: true, value: undefined });
});
