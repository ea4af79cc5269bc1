import { InMemoryVectorStore } from 'backstage-plugin-ask-ai-backend';
import { describeVectorStore } from 'backstage-plugin-ask-ai-node/testUtils';
import { describe, it } from 'vitest';

describeVectorStore(
  'a store',
  { create: options => InMemoryVectorStore.create(options) },
  { describe, it },
);
