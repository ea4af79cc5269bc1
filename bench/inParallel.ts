/** Does all items by some workers at once, each of which takes the next item when it is free. */
export async function inParallel<T>(
  workers: number,
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (next < items.length) {
        await work(items[next++] as T);
      }
    }),
  );
}
