import { describeClearing } from './clearing';
import { describeConcurrency } from './concurrency';
import { describeDocuments } from './documents';
import { describeEmbeddingSpace } from './embeddingSpace';
import { describeExport } from './export';
import { describeFilters } from './filters';
import { describeInvalidInput } from './invalidInput';
import { describeKeywords } from './keywords';
import { describeLifecycle } from './lifecycle';
import { describeLoading } from './loading';
import { describeRankedSearch } from './rankedSearch';
import { describeReembedding } from './reembedding';
import { describeReplacing } from './replacing';
import { describeReplacingMeanwhile } from './replacingMeanwhile';
import { describeSearch } from './search';
import { createSuite, type TestFramework, type VectorStoreSetup } from './suite';
import { describeUnusualInput } from './unusualInput';
import { describeWrites } from './writes';

/**
 * Tests a store against the contract of `IVectorStore`, every test with a store of its own.
 *
 *     describeVectorStore('MyVectorStore', { create: options => MyVectorStore.create(options) }, { describe, it });
 *
 * @param framework - the functions of vitest or jest; passed in, so that this package needs neither.
 */
export function describeVectorStore(
  name: string,
  setup: VectorStoreSetup,
  framework: TestFramework,
): void {
  const suite = createSuite(setup, framework);
  framework.describe(`${name} keeps the contract of a vector store`, () => {
    describeWrites(suite);
    describeLoading(suite);
    describeReplacing(suite);
    describeReplacingMeanwhile(suite);
    describeInvalidInput(suite);
    describeUnusualInput(suite);
    describeSearch(suite);
    describeFilters(suite);
    describeRankedSearch(suite);
    describeKeywords(suite);
    describeClearing(suite);
    describeDocuments(suite);
    describeEmbeddingSpace(suite);
    describeReembedding(suite);
    describeExport(suite);
    describeConcurrency(suite);
    describeLifecycle(suite);
  });
}
