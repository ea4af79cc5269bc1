import { sql } from 'drizzle-orm';
import type { Database } from '../connection';

/** Gives a table of ours the owner and the grants of another: what LIKE does not copy. */
export async function copyGrants(
  transaction: Database,
  from: 'embeddings' | 'indexed_documents',
  to: string,
): Promise<void> {
  const [source, target] = [sql.raw(`'${from}'`), sql.raw(`'${to}'`)];
  await transaction.execute(sql`
    do $$
    declare
      source pg_class;
      item record;
    begin
      select * into source from pg_class where oid = ${source}::regclass;
      for item in select * from aclexplode(source.relacl) where grantee <> source.relowner loop
        execute format('grant %s on %I to %s%s', item.privilege_type, ${target},
          case when item.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(item.grantee)) end,
          case when item.is_grantable then ' with grant option' else '' end);
      end loop;
      if (select relowner from pg_class where oid = ${target}::regclass) <> source.relowner then
        execute format('alter table %I owner to %I', ${target}, pg_get_userbyid(source.relowner));
      end if;
    end $$`);
}
