/**
 * The contract suite of the vector stores: run it on your own implementation of `IVectorStore`.
 *
 * @packageDocumentation
 */
export { describeRandomInputs, type RandomInputOptions } from './testUtils/describeRandomInputs';
export { describeVectorStore } from './testUtils/describeVectorStore';
export { type RandomCallsResult, runRandomCalls } from './testUtils/randomCalls';
export type { TestFramework, VectorStoreSetup } from './testUtils/suite';
