import { describeVectorStore } from 'backstage-plugin-ask-ai-node/testUtils';
import { describe, it } from 'vitest';
import { RESILIENCE } from '../testing/resilientStores';
import { InMemoryVectorStore } from './InMemoryVectorStore';
import { ResilientVectorStore } from './ResilientVectorStore';

describeVectorStore(
  'ResilientVectorStore',
  {
    create: async ({ dimensions }) =>
      ResilientVectorStore.create(InMemoryVectorStore.create({ dimensions }), RESILIENCE),
  },
  { describe, it },
);
