import { describeRandomInputs, describeVectorStore } from 'backstage-plugin-ask-ai-node/testUtils';
import { describe, it } from 'vitest';
import { InMemoryVectorStore } from './InMemoryVectorStore';

const setup = {
  create: (options: { dimensions: number }) => InMemoryVectorStore.create(options),
};

describeVectorStore('InMemoryVectorStore', setup, { describe, it });
describeRandomInputs('InMemoryVectorStore', setup, { describe, it });
