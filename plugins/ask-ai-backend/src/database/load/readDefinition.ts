import { sql } from 'drizzle-orm';
import { type Database, selectRows } from '../connection';
import { liveTableOid } from '../liveTable';

/** What a load relies on: a migration or another embedding space that came meanwhile would be undone. */
export interface Definition {
  /** Columns, constraints and indexes of the table `embeddings`, as a text to compare. */
  table: string;
  /** What embedded its vectors; `null` while nobody said so. */
  space: string | null;
}

export async function readDefinition(db: Database): Promise<Definition> {
  const [row] = await selectRows<{ definition: string; space: string | null }>(
    db,
    sql`
      select
        json_build_array(
          (select json_agg(json_build_array(
              attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
            ) order by attnum)
            from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
            where attrelid = t.oid and attnum > 0 and not attisdropped),
          (select json_agg(pg_get_constraintdef(oid) order by conname) from pg_constraint where conrelid = t.oid),
          (select json_agg(pg_get_indexdef(indexrelid) order by indexrelid) from pg_index where indrelid = t.oid)
        )::text as definition,
        (select json_build_array(provider, model, dimensions)::text from embedding_space) as space
      from pg_class t where t.oid = ${liveTableOid}`,
  );
  return { table: row?.definition ?? '', space: row?.space ?? null };
}

/** A space that is claimed for what nobody had said it of is no other one. */
export function isSameDefinition(before: Definition, now: Definition): boolean {
  return before.table === now.table && (before.space === null || before.space === now.space);
}
