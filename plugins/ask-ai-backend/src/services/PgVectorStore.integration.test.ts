import { describeRandomInputs, describeVectorStore } from 'backstage-plugin-ask-ai-node/testUtils';
import { describe, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { PgVectorStore } from './PgVectorStore';

const logger = { debug: () => {}, info: () => {}, warn: () => {} };
let database: TestDatabase;

const setup = {
  create: async ({ dimensions }: { dimensions: number }) => {
    database = await createTestDatabase();
    return PgVectorStore.create({
      postgresql: { connectionString: database.url },
      logger,
      dimensions,
    });
  },
  cleanup: () => database.drop(),
};

describeVectorStore('PgVectorStore on a server', setup, { describe, it });
describeRandomInputs('PgVectorStore on a server', setup, { describe, it });
