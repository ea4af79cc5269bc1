import { sql } from 'drizzle-orm';
import { type Database, selectRows } from '../connection';
import { NEW_VECTOR_INDEX, OLD_VECTOR_INDEX } from '../vectorIndex/indexState';

/** Something that somebody made in a database, and that a rollback might take along. */
export interface DatabaseObject {
  /** Tells it from any other, also from one of the same name later. */
  key: string;
  /** `index public.embeddings_vector_idx` */
  description: string;
  name: string;
  /** The table that it belongs to, if it does. */
  table: string | null;
  /** Whether it lies in the schema of the tables. */
  isInOwnSchema: boolean;
}

/**
 * All that anybody made in the database: tables, views, indexes, sequences, functions, types, triggers,
 * policies, rules, publications, statistics, foreign keys and extensions.
 */
export function readObjects(db: Database): Promise<DatabaseObject[]> {
  return selectRows<DatabaseObject & Record<string, unknown>>(db, OBJECTS);
}

/**
 * What is gone and was not made by migrations or by a load.
 *
 * @param words - of the migrations that were undone.
 */
export function foreignAmong(
  gone: readonly DatabaseObject[],
  words: ReadonlySet<string>,
): DatabaseObject[] {
  const isNamed = (name: string) => words.has(name) || LEFT_BY_LOADS.test(name);
  return gone.filter(({ name, table, isInOwnSchema }) => {
    const isOwnTable = table === null || isNamed(table);
    const isOwn = isNamed(name) || isImplied(name, table);
    return !(isInOwnSchema && isOwnTable && isOwn);
  });
}

/** What is beside the table while it is loaded, or embedded by another model. */
const LEFT_BY_LOADS = /^((embeddings|indexed_documents)_load|embeddings_next)(_|$)/;

/** Names that PostgreSQL gives, and that the index has before and after its time. */
function isImplied(name: string, table: string | null): boolean {
  return (
    (table !== null && name === `${table}_pkey`) ||
    [NEW_VECTOR_INDEX, OLD_VECTOR_INDEX].includes(name)
  );
}

const OBJECTS = sql.raw(`
  with tables as (
    select c.oid, c.relname, c.relkind, c.reltype, n.nspname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
  ), objects (classid, objid, schema, name, table_name) as (
    select 'pg_class'::regclass, c.oid, c.nspname, c.relname, t.relname
      from tables c left join pg_index i on i.indexrelid = c.oid left join tables t on t.oid = i.indrelid
      where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'i', 'I')
    union all select 'pg_proc'::regclass, p.oid, n.nspname, proname, null
      from pg_proc p join pg_namespace n on n.oid = pronamespace
      where nspname not in ('pg_catalog', 'information_schema')
    union all select 'pg_type'::regclass, y.oid, n.nspname, typname, null
      from pg_type y join pg_namespace n on n.oid = typnamespace
      where nspname not in ('pg_catalog', 'information_schema') and typtype in ('d', 'e', 'r')
    union all select 'pg_trigger'::regclass, g.oid, t.nspname, tgname, t.relname
      from pg_trigger g join tables t on t.oid = tgrelid where not tgisinternal
    union all select 'pg_policy'::regclass, p.oid, t.nspname, polname, t.relname
      from pg_policy p join tables t on t.oid = polrelid
    union all select 'pg_rewrite'::regclass, r.oid, t.nspname, rulename, t.relname
      from pg_rewrite r join tables t on t.oid = ev_class where rulename <> '_RETURN'
    union all select 'pg_publication_rel'::regclass, r.oid, t.nspname, pubname, t.relname
      from pg_publication_rel r join tables t on t.oid = prrelid join pg_publication p on p.oid = prpubid
    union all select 'pg_statistic_ext'::regclass, s.oid, t.nspname, stxname, t.relname
      from pg_statistic_ext s join tables t on t.oid = stxrelid
    union all select 'pg_constraint'::regclass, c.oid, t.nspname, conname, t.relname
      from pg_constraint c join tables t on t.oid = conrelid where contype = 'f'
    union all select 'pg_extension'::regclass, oid, null, extname, null from pg_extension
  )
  select classid::oid || '/' || objid as key, pg_describe_object(classid, objid, 0) as description,
    name, table_name as "table", coalesce(schema = current_schema(), false) as "isInOwnSchema"
  from objects order by description`);
