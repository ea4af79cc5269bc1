import { describeRandomInputs, describeVectorStore } from 'backstage-plugin-ask-ai-node/testUtils';
import { afterAll, describe, it } from 'vitest';
import { embeddedStores } from '../testing/embeddedStores';

const stores = embeddedStores();
afterAll(() => stores.close());

const setup = { create: stores.create };
describeVectorStore('The embedded PgVectorStore', setup, { describe, it });
describeRandomInputs('The embedded PgVectorStore', setup, { describe, it });
