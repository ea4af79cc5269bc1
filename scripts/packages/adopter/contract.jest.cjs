const { InMemoryVectorStore } = require('backstage-plugin-ask-ai-backend');
const { describeVectorStore } = require('backstage-plugin-ask-ai-node/testUtils');

describeVectorStore(
  'a store',
  { create: options => InMemoryVectorStore.create(options) },
  { describe, it },
);
