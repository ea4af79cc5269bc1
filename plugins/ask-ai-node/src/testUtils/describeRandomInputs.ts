import { runRandomCalls } from './randomCalls';
import { createSuite, type TestFramework, type VectorStoreSetup } from './suite';

/** How much random input a store gets. */
export interface RandomInputOptions {
  /** Default 500. */
  cases?: number;
  /** Equal seeds give equal inputs. Default 1. */
  seed?: number;
}

/** What a case may take beyond the time of any test. */
const MS_PER_CASE = 50;

/** Tests a store by `runRandomCalls`. */
export function describeRandomInputs(
  name: string,
  setup: VectorStoreSetup,
  framework: TestFramework,
  { cases = 500, seed = 1 }: RandomInputOptions = {},
): void {
  const { describe, test } = createSuite(setup, framework, cases * MS_PER_CASE);
  describe(`${name} and random input`, () => {
    test(`${cases} random calls (seed ${seed}) end well or with a documented error, and no chunk suffers`, async store => {
      await runRandomCalls(store, { cases, seed });
    });
  });
}
