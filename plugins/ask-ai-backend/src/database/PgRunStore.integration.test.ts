import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { thisOwner } from '../lib/owner';
import { describeRunStore } from '../testing/describeRunStore';
import { noProgress } from '../types';
import type { DatabaseConnection } from './connection';
import { migrate } from './migrator';
import { PgRunStore } from './PgRunStore';
import { openPostgresConnection } from './postgresConnection';

const logger = { debug: () => {}, warn: () => {} };
let database: TestDatabase;
let connection: DatabaseConnection;

const create = async () => {
  database = await createTestDatabase();
  connection = openPostgresConnection({ connectionString: database.url }, logger);
  await migrate(connection);
  return PgRunStore.create(connection);
};
const cleanup = async () => {
  await connection.close();
  await database.drop();
};

describeRunStore('PgRunStore', { create, cleanup });

describe('PgRunStore and killed processes', { timeout: 60_000 }, () => {
  let runs: PgRunStore;
  const self = thisOwner();

  beforeEach(async () => {
    runs = await create();
  });
  afterEach(cleanup);

  const startedBy = async (owner: ReturnType<typeof thisOwner>) => {
    await runs.enqueue({ trigger: 'manual', requestedBy: 'user:default/ann' });
    await runs.claim(owner);
  };

  it('does the run of a process that is gone from this machine anew, at once', async () => {
    await startedBy({ ...self, instanceId: 'gone', pid: 2 ** 22 + 1 });
    expect(await runs.claim(self)).toMatchObject({
      trigger: 'manual',
      requestedBy: 'user:default/ann',
      state: 'running',
    });
    expect(await runs.latest()).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('killed'),
    });
  });

  it('takes a process of our own id that is not us for dead', async () => {
    await startedBy({ ...self, instanceId: 'a container before us' });
    expect(await runs.claim(self)).toMatchObject({ state: 'running' });
  });

  it('leaves the run of another machine alone until it is silent for too long', async () => {
    await startedBy({ ...self, instanceId: 'elsewhere', hostname: 'elsewhere.example' });
    expect(await runs.claim(self)).toBe('busy');
    const abandoned = await runs.current();
    await connection.db.execute(
      sql`update index_runs set heartbeat_at = now() - interval '31 seconds'`,
    );
    expect(await runs.claim(self)).toMatchObject({ state: 'running' });
    expect(await runs.heartbeat(abandoned?.id ?? '', noProgress())).toBe('lost');
  });
});
