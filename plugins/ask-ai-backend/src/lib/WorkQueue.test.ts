import { expect, it } from 'vitest';
import { WorkQueue } from './WorkQueue';

/** Work that ends when it is told to. */
function held() {
  let end = (_error?: Error) => {};
  const ended = new Promise<void>((resolve, reject) => {
    end = error => (error ? reject(error) : resolve());
  });
  return { work: () => ended, end };
}

it('lets so many be under way at once, and no more', async () => {
  const queue = new WorkQueue(2);
  const [first, second] = [held(), held()];
  await queue.add(first.work);
  await queue.add(second.work);
  let hasBegun = false;
  const third = queue.add(async () => {
    hasBegun = true;
  });
  await new Promise(setImmediate);
  expect(hasBegun).toBe(false);
  first.end();
  await third;
  expect(hasBegun).toBe(true);
  second.end();
  await queue.finished();
});

it('tells of a failure when there has to be room, or at the end', async () => {
  const queue = new WorkQueue(1);
  const failing = held();
  await queue.add(failing.work);
  failing.end(new Error('full'));
  await expect(queue.add(async () => {})).rejects.toThrow('full');
  await queue.add(async () => {
    throw new Error('gone');
  });
  await queue.settled();
  await expect(queue.finished()).rejects.toThrow('gone');
});
