import { sql } from 'drizzle-orm';
import { VectorStoreSchemaError } from '../../errors';
import { type Database, selectRows } from '../connection';
import { liveTableOid } from '../liveTable';

/**
 * Why another table can't be put in the place of `embeddings`: it would take things with it that others
 * made on it, or the role may not.
 *
 * @returns what is in the way and what to do, as the second half of a sentence; `undefined` when nothing is.
 */
export async function readLoadObstacle(db: Database): Promise<string | undefined> {
  const [row] = await selectRows<{
    may: boolean;
    role: string;
    owner: string;
    schema: string;
    dependents: string[] | null;
  }>(
    db,
    sql`
      select
        current_user as role, pg_get_userbyid(relowner) as owner, nspname as schema,
        nspname = current_schema() and pg_has_role(relowner, 'USAGE')
          and has_schema_privilege(c.relnamespace, 'CREATE')
          and has_schema_privilege(relowner, c.relnamespace, 'CREATE') as may,
        (select array_agg(name order by name)::text[] from (${DEPENDENTS}) as found) as dependents
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.oid = ${liveTableOid}`,
  );
  if (!row) {
    return undefined;
  }
  if (!row.may) {
    return (
      `role ${row.role} must belong to the owner of the table embeddings (${row.owner}), and both may create tables in ` +
      `schema ${row.schema}, the first of its search path: GRANT ${row.owner} TO ${row.role}; GRANT CREATE ON SCHEMA ${row.schema} TO ${row.owner}; ` +
      `or, so that role ${row.role} gets no more rights, give the credential of ${row.owner} as askAi.vectorStore.postgresql.admin`
    );
  }
  const dependents = row.dependents ?? [];
  return dependents.length === 0
    ? undefined
    : `these rely on the table embeddings, which another takes the place of: ${dependents.join(', ')}. Drop them, and make them again after the load`;
}

/** @throws VectorStoreSchemaError with what is in the way and what to do. */
export async function assertNoLoadObstacle(db: Database): Promise<void> {
  const obstacle = await readLoadObstacle(db);
  if (obstacle !== undefined) {
    throw new VectorStoreSchemaError(`The table embeddings can't be loaded: ${obstacle}.`);
  }
}

/**
 * What keeps a table from being dropped (`n`), a view as a rule may, and what would silently go with it
 * (`a`) and is not made anew. What defaults, generated columns and checks rely on is the table's own.
 * Part of a statement in which `c` is the table.
 */
const DEPENDENTS = sql.raw(`
  select distinct case
    when view.oid is not null then case view.relkind when 'm' then 'materialized view ' else 'view ' end || view.oid::regclass
    else pg_describe_object(d.classid, d.objid, 0)
  end as name
  from pg_class t
    join pg_depend d on (d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid)
      or (d.refclassid = 'pg_type'::regclass and d.refobjid in (
        t.reltype, (select typarray from pg_type where pg_type.oid = t.reltype)
      ))
    left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
    left join pg_class view on view.oid = r.ev_class and view.relkind in ('v', 'm')
  where t.oid = c.oid and (
    (d.deptype = 'n' and d.classid not in ('pg_attrdef'::regclass, 'pg_constraint'::regclass))
    or d.classid in ('pg_policy'::regclass, 'pg_publication_rel'::regclass, 'pg_rewrite'::regclass)
    or (d.classid = 'pg_constraint'::regclass
      and (select contype from pg_constraint where oid = d.objid) in ('f', 'u', 'x'))
    or (d.classid = 'pg_trigger'::regclass and exists (
      select from pg_trigger where oid = d.objid and not tgisinternal and tgname not like 'embeddings\\_load\\_%'
    ))
  )`);
