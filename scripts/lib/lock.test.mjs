import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { withLock } from './lock.mjs';

const options = { timeoutMs: 10_000, onWait: () => undefined };

it('lets one in at a time', async () => {
  const name = randomUUID();
  let inside = 0;
  const visit = () =>
    withLock(name, options, async () => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise(setImmediate);
      inside -= 1;
    });
  await Promise.all([visit(), visit(), visit()]);
});

it('takes over the lock of a killed process, and lets go after an error', async () => {
  const name = randomUUID();
  const program = `
    import { withLock } from ${JSON.stringify(new URL('lock.mjs', import.meta.url).href)};
    await withLock('${name}', { timeoutMs: 1000 }, () => process.kill(process.pid, 'SIGKILL'));`;
  const { signal } = spawnSync(process.execPath, ['--input-type=module', '--eval', program]);
  expect(signal).toBe('SIGKILL');
  await expect(
    withLock(name, options, () => {
      throw new Error('in the action');
    }),
  ).rejects.toThrow('in the action');
  await withLock(name, options, () => undefined);
});
