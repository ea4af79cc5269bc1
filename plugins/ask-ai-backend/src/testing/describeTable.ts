import { query } from '../../../../tests/services/connect';

/** All that PostgreSQL's catalogs say of a table but its rows, for comparison. */
export async function describeTable(
  url: string,
  table: 'embeddings' | 'indexed_documents',
): Promise<Record<string, unknown>> {
  const [row] = await query<Record<string, unknown>>(
    url,
    `select
       pg_get_userbyid(relowner) as owner, relpersistence, reloptions, relrowsecurity,
       relforcerowsecurity, obj_description(t.oid, 'pg_class') as comment,
       (select json_agg(grants order by grants::text) from (
         select grantee::regrole::text, privilege_type, is_grantable from aclexplode(relacl)
       ) as grants) as grants,
       (select json_agg(grants order by grants::text) from (
         select attname, grantee::regrole::text, privilege_type, is_grantable
         from pg_attribute, aclexplode(attacl) where attrelid = t.oid
       ) as grants) as column_grants,
       (select json_agg(columns order by columns.attnum) from (
         select row_number() over (order by attnum) as attnum, attname, format_type(atttypid, atttypmod) as type, attnotnull, attstorage,
           attgenerated, pg_get_expr(adbin, adrelid) as expression
         from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
         where attrelid = t.oid and attnum > 0 and not attisdropped
       ) as columns) as columns,
       (select json_object_agg(conname, pg_get_constraintdef(oid) order by conname)
         from pg_constraint where conrelid = t.oid) as constraints,
       (select json_object_agg(indexrelid::regclass, pg_get_indexdef(indexrelid) order by indexrelid::regclass::text)
         from pg_index where indrelid = t.oid and indisvalid) as indexes
     from pg_class t where t.oid = '${table}'::regclass`,
  );
  return row ?? {};
}
