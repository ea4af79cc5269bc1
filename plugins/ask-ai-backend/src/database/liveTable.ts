import { type SQL, sql } from 'drizzle-orm';
import { type Database, selectRows } from './connection';

/**
 * The oid of the table `embeddings`, for a statement that reads PostgreSQL's catalogs. A load puts another
 * table in its place at any moment: `'embeddings'::regclass` is what the name means while a statement is
 * parsed, and the catalogs are read as they are a moment later, when that table may be gone. This is read
 * as of the same time.
 */
export const liveTableOid = sql.raw(`(
  select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relname = 'embeddings' and n.nspname = any (current_schemas(false))
  order by array_position(current_schemas(false), n.nspname) limit 1
)`);

/**
 * Names what lies, or may lie, in the schema of `embeddings`: without the schema, a name that is not there
 * means what another store has in a later schema of the search path.
 */
export async function namesBesideLive(db: Database): Promise<(name: string) => SQL> {
  const [row] = await selectRows<{ schema: string }>(
    db,
    sql`
      select coalesce(
        (select relnamespace::regnamespace::text from pg_class where oid = ${liveTableOid}),
        quote_ident(current_schema())
      ) as schema`,
  );
  return name => sql`${sql.raw(row?.schema ?? '')}.${sql.identifier(name)}`;
}
