import { sql } from 'drizzle-orm';
import { type Database, selectRows } from '../connection';
import { liveTableOid } from '../liveTable';

/**
 * Whether a table or an index is there, in the schema of `embeddings`: another schema of the search path may hold
 * another store, which is loaded at this moment. As of now, whatever the transaction can see.
 */
export async function isBeside(db: Database, name: string): Promise<boolean> {
  const [row] = await selectRows<{ found: boolean }>(
    db,
    sql`
      select to_regclass(format('%I.%I', nspname, ${name}::text)) is not null as found
      from pg_class t join pg_namespace s on s.oid = t.relnamespace
      where t.oid = ${liveTableOid}`,
  );
  return row?.found ?? false;
}
