import { sql } from 'drizzle-orm';
import type { Database } from '../connection';

type Live = 'embeddings' | 'indexed_documents';

/**
 * Gives a table of ours the owner and exactly the grants of another, on columns too: what LIKE does not
 * copy. The owner comes first, so that it is the owner who grants.
 */
export async function copyGrants(transaction: Database, from: Live, to: string): Promise<void> {
  await copyOwner(transaction, from, `table ${to}`);
  const [source, target] = [sql.raw(`'${from}'`), sql.raw(`'${to}'`)];
  // ALTER DEFAULT PRIVILEGES may have granted what the other table's owner took back.
  await transaction.execute(sql`
    do $$
    declare
      item record;
    begin
      for item in select grantee from pg_class, aclexplode(relacl)
        where oid = ${target}::regclass and grantee <> relowner group by grantee
      loop
        execute format('revoke all on %I from %s', ${target}, ${GRANTEE});
      end loop;
      for item in
        select '' as columns, acl.* from pg_class, aclexplode(relacl) acl
          where oid = ${source}::regclass and grantee <> relowner
        union all
        select format('(%I)', attname), acl.* from pg_attribute, aclexplode(attacl) acl
          where attrelid = ${source}::regclass and not attisdropped
      loop
        execute format('grant %s %s on %I to %s %s', item.privilege_type, item.columns, ${target}, ${GRANTEE},
          case when item.is_grantable then 'with grant option' else '' end);
      end loop;
    end $$`);
}

/** Lets everybody insert into a table of ours who may write to another in any way. */
export async function grantInsertToWriters(
  transaction: Database,
  from: Live,
  to: string,
): Promise<void> {
  const [source, target] = [sql.raw(`'${from}'`), sql.raw(`'${to}'`)];
  await transaction.execute(sql`
    do $$
    declare
      item record;
    begin
      for item in
        select grantee from pg_class, aclexplode(relacl)
          where oid = ${source}::regclass and privilege_type in ('INSERT', 'UPDATE', 'DELETE')
        union
        select grantee from pg_attribute, aclexplode(attacl)
          where attrelid = ${source}::regclass and privilege_type in ('INSERT', 'UPDATE')
      loop
        execute format('grant insert on %I to %s', ${target}, ${GRANTEE});
      end loop;
    end $$`);
}

/** @param object - of ours, as ALTER names it. */
export async function copyOwner(
  transaction: Database,
  from: Live,
  object: `table ${string}` | `function ${string}()`,
): Promise<void> {
  await transaction.execute(sql`
    do $$
    declare
      owner name := (select pg_get_userbyid(relowner) from pg_class where oid = ${sql.raw(`'${from}'`)}::regclass);
    begin
      if owner <> current_user then
        execute format('alter ${sql.raw(object)} owner to %I', owner);
      end if;
    end $$`);
}

/** Of the record `item`. */
const GRANTEE = sql.raw(
  "case when item.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(item.grantee)) end",
);
