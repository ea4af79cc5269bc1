/**
 * Gets the first item, and gives it back with those that follow. So what fails at the start fails
 * before anything was sent.
 */
export async function startIterating<T>(
  items: AsyncGenerator<T, void, undefined>,
): Promise<AsyncGenerator<T, void, undefined>> {
  const first = await items.next();
  return (async function* () {
    try {
      if (!first.done) {
        yield first.value;
        yield* items;
      }
    } finally {
      await items.return(undefined);
    }
  })();
}
