import type { IVectorStore } from '../vectorStore';

/** What the suites need of a test framework; vitest's and jest's functions fit. */
export interface TestFramework {
  describe(name: string, body: () => void): unknown;
  it(title: string, body: () => Promise<void>, timeoutMs?: number): unknown;
}

/** How the suites come to the store that they test. */
export interface VectorStoreSetup {
  /** A new, empty store. Called once a test. */
  create(options: { dimensions: number }): Promise<IVectorStore> | IVectorStore;
  /** Called after each test, when its store is closed. */
  cleanup?(): Promise<void> | void;
  /** For each test, with what `create` and `cleanup` take. Default 30,000. */
  timeoutMs?: number;
}

/** A test framework whose tests get a store of their own. */
export interface Suite {
  describe(name: string, body: () => void): void;
  /** @param dimensions - of the store; the default is `DIMENSIONS`. */
  test(title: string, body: (store: IVectorStore) => Promise<void>, dimensions?: number): void;
}

/** Small, so that a store with an index is quick to fill. */
export const DIMENSIONS = 8;

const DEFAULT_TIMEOUT_MS = 30_000;

/** @param extraMs - what a long test needs beyond the time of the others. */
export function createSuite(
  setup: VectorStoreSetup,
  { describe, it }: TestFramework,
  extraMs = 0,
): Suite {
  const timeoutMs = (setup.timeoutMs ?? DEFAULT_TIMEOUT_MS) + extraMs;
  return {
    describe,
    test: (title, body, dimensions = DIMENSIONS) => {
      it(title, () => withStore(setup, dimensions, body), timeoutMs);
    },
  };
}

async function withStore(
  setup: VectorStoreSetup,
  dimensions: number,
  body: (store: IVectorStore) => Promise<void>,
): Promise<void> {
  try {
    const store = await setup.create({ dimensions });
    try {
      await body(store);
    } finally {
      await store.close();
    }
  } finally {
    await setup.cleanup?.();
  }
}
