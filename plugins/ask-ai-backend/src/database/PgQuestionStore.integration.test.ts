import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { describeQuestionStore } from '../testing/describeQuestionStore';
import type { DatabaseConnection } from './connection';
import { migrate } from './migrator';
import { PgQuestionStore } from './PgQuestionStore';
import { openPostgresConnection } from './postgresConnection';

let database: TestDatabase;
let connection: DatabaseConnection;

describeQuestionStore('PgQuestionStore', {
  create: async () => {
    database = await createTestDatabase();
    const logger = { debug: () => {}, warn: () => {} };
    connection = openPostgresConnection({ connectionString: database.url }, logger);
    await migrate(connection);
    return PgQuestionStore.create(connection);
  },
  cleanup: async () => {
    await connection.close();
    await database.drop();
  },
});
