import { sql } from 'drizzle-orm';

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
