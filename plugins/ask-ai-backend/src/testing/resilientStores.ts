import { query } from '../../../../tests/services/connect';
import type { PostgresConnectionOptions } from '../database/postgresConnection';
import { PgVectorStore } from '../services/PgVectorStore';
import { type ResilienceOptions, ResilientVectorStore } from '../services/ResilientVectorStore';
import { LOAD_DIMENSIONS } from './StoreLoad';

/** As the configuration has them. */
export const RESILIENCE: ResilienceOptions = {
  maxAttempts: 4,
  attemptTimeoutMillis: 5_000,
  readDeadlineMillis: 10_000,
  writeDeadlineMillis: 30_000,
  breakerFailures: 5,
  breakerOpenMillis: 1_000,
};

/** The store that a backend on this database works with. */
export async function openResilientStore(
  url: string,
  postgresql: PostgresConnectionOptions = {},
  resilience: Partial<ResilienceOptions> = {},
): Promise<ResilientVectorStore> {
  const store = await PgVectorStore.create({
    postgresql: { connectionString: url, ...postgresql },
    logger: { debug: () => {}, info: () => {}, warn: () => {} },
    dimensions: LOAD_DIMENSIONS,
  });
  return ResilientVectorStore.create(store, { ...RESILIENCE, ...resilience });
}

/** Sessions of stores on this database. */
export async function countSessions(url: string): Promise<number> {
  const [row] = await query<{ sessions: string }>(
    url,
    `select count(*) as sessions from pg_stat_activity
     where datname = current_database() and application_name = 'ask-ai'`,
  );
  return Number(row?.sessions);
}
