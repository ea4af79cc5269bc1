import { Client, type QueryResultRow } from 'pg';

/** Enough for a loaded machine, and short of the 10 s in which an unreachable server is reported. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Runs statements one after another on a connection of their own and resolves to the rows of the
 * last one.
 */
export async function query<Row extends QueryResultRow>(
  url: string,
  ...statements: string[]
): Promise<Row[]> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'ask-ai tests',
  });
  // A connection that the server drops also emits an error, which would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    let rows: Row[] = [];
    for (const statement of statements) {
      rows = (await client.query<Row>(statement)).rows;
    }
    return rows;
  } finally {
    await client.end();
  }
}
