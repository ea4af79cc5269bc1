import { Client } from 'pg';
import { pollUntil } from '../../../../tests/services/poll';

/** On a machine that is busy with other things. */
const WAIT_MS = 20_000;

/** One that is at work goes first; in one statement, so that it is at work at that moment. */
const TERMINATE = `
  select state, pg_terminate_backend(pid) as is_terminated
  from pg_stat_activity
  where datname = current_database() and application_name = 'ask-ai'
    and ($1 = '' or state = $1)
  order by random() limit 1`;

/**
 * Ends sessions of the store one after another, every second or more of them in the middle of a statement.
 *
 * @returns how many of them were.
 */
export async function terminateBackends(url: string, count: number): Promise<number> {
  const client = new Client({ connectionString: url, application_name: 'ask-ai tests' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    let active = 0;
    for (let kill = 0; kill < count; kill++) {
      const wanted = kill % 4 === 3 ? '' : 'active';
      const state = await pollUntil('A session to terminate', WAIT_MS, async () => {
        const { rows } = await client.query(TERMINATE, [wanted]);
        return rows[0]?.is_terminated ? (rows[0].state as string) : undefined;
      });
      active += state === 'active' ? 1 : 0;
    }
    return active;
  } finally {
    await client.end();
  }
}
