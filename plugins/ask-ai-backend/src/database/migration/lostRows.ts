import { type SQL, sql } from 'drizzle-orm';
import { type Database, selectRows } from '../connection';

/** Rows of the tables of the store, and how many of them have a value in each column. */
export type RowCounts = ReadonlyMap<string, { rows: number; values: ReadonlyMap<string, number> }>;

/** Rows that took long to embed: see `NextTable`. */
const UNFINISHED = 'embeddings_next';

/**
 * Those of the given names that are tables in the schema of the store.
 *
 * @param words - of migrations.
 */
export async function readOwnTables(db: Database, words: ReadonlySet<string>): Promise<string[]> {
  const rows = await selectRows<{ name: string }>(
    db,
    sql`
      select relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where nspname = current_schema() and relkind in ('r', 'p')
      order by relname`,
  );
  return rows.map(({ name }) => name).filter(name => words.has(name) || name === UNFINISHED);
}

/** What is generated counts for nothing: it can be made again. */
export async function countRows(db: Database, tables: readonly string[]): Promise<RowCounts> {
  const counts = new Map<string, { rows: number; values: Map<string, number> }>();
  for (const table of tables) {
    const columns = await selectRows<{ name: string }>(
      db,
      sql`
        select attname as name from pg_attribute
        where attrelid = format('%I.%I', current_schema(), ${table}::text)::regclass
          and attnum > 0 and not attisdropped and attgenerated = ''
        order by attnum`,
    );
    const values = columns.map(({ name }): SQL => sql`count(${sql.identifier(name)})`);
    const [row] = await selectRows<{ counts: string[] }>(
      db,
      sql`select array[${sql.join([sql`count(*)`, ...values], sql`, `)}]::text[] as counts from ${await qualified(db, table)}`,
    );
    const [rows = 0, ...perColumn] = (row?.counts ?? []).map(Number);
    const named = columns.map(({ name }, position) => [name, perColumn[position] ?? 0] as const);
    counts.set(table, { rows, values: new Map(named) });
  }
  return counts;
}

/** What is there no more, each as a part of a sentence: `120 rows of embeddings`. */
export function describeLost(before: RowCounts, after: RowCounts): string[] {
  const lost: string[] = [];
  for (const [table, { rows, values }] of before) {
    const left = after.get(table);
    const gone = rows - (left?.rows ?? 0);
    if (gone > 0) {
      lost.push(`${count(gone, 'row')} of ${table}`);
    }
    for (const [column, present] of left ? values : []) {
      if (present > 0 && !left?.values.has(column)) {
        lost.push(`${count(present, 'value')} of ${table}.${column}`);
      }
    }
  }
  return lost;
}

/** Of the schema of the store, also where another schema of the search path has such a table. */
export async function qualified(db: Database, table: string): Promise<SQL> {
  const [row] = await selectRows<{ schema: string }>(db, sql`select current_schema() as schema`);
  return sql`${sql.identifier(row?.schema ?? '')}.${sql.identifier(table)}`;
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
