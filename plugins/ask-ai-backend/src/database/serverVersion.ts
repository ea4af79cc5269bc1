import { sql } from 'drizzle-orm';
import { VectorStoreSchemaError } from '../errors';
import { type Database, selectRows } from './connection';

/** PostgreSQL 13, as `server_version_num` counts. */
const OLDEST_SERVER = 130_000;

/** @throws VectorStoreSchemaError when the server is too old. The migrations check the extension. */
export async function assertSupportedServer(db: Database): Promise<void> {
  const [row] = await selectRows<{ number: number; version: string }>(
    db,
    sql`select current_setting('server_version_num')::int as number, current_setting('server_version') as version`,
  );
  if (row && row.number < OLDEST_SERVER) {
    throw new VectorStoreSchemaError(
      `PostgreSQL ${row.version} is too old: 13 or newer is needed. Upgrade the server.`,
    );
  }
}
