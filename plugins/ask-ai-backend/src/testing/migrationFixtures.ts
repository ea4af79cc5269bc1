import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { sql } from 'drizzle-orm';
import { type Database, selectRows } from '../database/connection';
import { migrationsFolder } from '../database/migration/migrationFiles';

interface JournalEntry {
  idx: number;
  version: string;
  when: number;
  tag: string;
  breakpoints: boolean;
}

/** A copy of the migrations, to change as another version of the plugin has them. */
export class MigrationsCopy {
  readonly folder = mkdtempSync(join(tmpdir(), 'ask-ai-migrations-'));
  private readonly journal = join(this.folder, 'meta/_journal.json');

  constructor() {
    cpSync(migrationsFolder(), this.folder, { recursive: true });
  }

  get entries(): JournalEntry[] {
    return JSON.parse(readFileSync(this.journal, 'utf8')).entries;
  }

  /** Leaves the first `count` of them. */
  keep(count: number): this {
    return this.setEntries(this.entries.slice(0, count));
  }

  /** Takes out the one at a position. */
  remove(position: number): this {
    return this.setEntries(this.entries.filter((_, index) => index !== position));
  }

  /** Adds one; `age` is how long before the newest it was generated, in milliseconds. */
  add(name: string, up: string, down: string | undefined = '', age = -1_000): this {
    const newest = Math.max(...this.entries.map(({ when }) => when));
    const { length } = this.entries;
    const tag = `${String(length).padStart(4, '0')}_${name}`;
    this.write(`${tag}.sql`, up);
    this.write(`down/${tag}.sql`, down);
    const entry = { idx: length, version: '7', when: newest - age, tag, breakpoints: true };
    return this.setEntries([...this.entries, entry]);
  }

  /** Changes the text of a file. */
  edit(file: string, change: (text: string) => string): this {
    return this.write(file, change(readFileSync(resolve(this.folder, file), 'utf8')));
  }

  removeFile(file: string): this {
    rmSync(resolve(this.folder, file));
    return this;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true });
  }

  private setEntries(entries: JournalEntry[]): this {
    const journal = { version: '7', dialect: 'postgresql', entries };
    writeFileSync(this.journal, JSON.stringify(journal));
    return this;
  }

  private write(file: string, text: string): this {
    writeFileSync(resolve(this.folder, file), text);
    return this;
  }
}

/**
 * All that PostgreSQL's catalogs say of what lies in the schema of the tables, but for the journal and
 * the order of columns, as sorted lines.
 */
export async function describeSchema(db: Database): Promise<string[]> {
  const rows = await selectRows<{ line: string }>(
    db,
    sql`
      with tables as (
        select c.* from pg_class c join pg_namespace n on n.oid = relnamespace
        where nspname = current_schema() and relname not like 'ask_ai_migrations%'
      )
      select concat_ws(' ', 'relation', relname, relkind, relpersistence, reloptions, relacl,
        obj_description(oid, 'pg_class')) as line from tables
      union all select concat_ws(' ', 'column', relname, attname,
        format_type(atttypid, atttypmod), attnotnull, attstorage, attgenerated, attidentity,
        pg_get_expr(adbin, adrelid))
        from tables join pg_attribute a on attrelid = tables.oid
          left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attnum > 0 and not attisdropped
      union all select concat_ws(' ', 'constraint', relname, conname, pg_get_constraintdef(c.oid))
        from tables join pg_constraint c on conrelid = tables.oid
      union all select concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid)
        from tables join pg_index on indrelid = tables.oid
      union all select concat_ws(' ', 'trigger', pg_get_triggerdef(g.oid))
        from tables join pg_trigger g on tgrelid = tables.oid where not tgisinternal
      union all select concat_ws(' ', 'function', oid::regprocedure) from pg_proc
        where pronamespace = (select oid from pg_namespace where nspname = current_schema())
          and not exists (select from pg_depend d where d.objid = pg_proc.oid and d.deptype = 'e')
      union all select concat_ws(' ', 'type', typname, typtype) from pg_type
        where typnamespace = (select oid from pg_namespace where nspname = current_schema())
          and typname !~ '^_?ask_ai_migrations'
          and not exists (select from pg_depend d where d.objid = pg_type.oid and d.deptype = 'e')
          and not exists (select from pg_depend d where d.objid = pg_type.typelem and d.deptype = 'e')
      order by line`,
  );
  return rows.map(({ line }) => line);
}

/** What a load that was killed after its first transaction, and a change of the model, leave behind. */
export async function leaveLoad(db: Database): Promise<void> {
  await db.execute(sql`create table embeddings_load_changes (id text)`);
  await db.execute(sql`create table embeddings_load_shape (like embeddings)`);
  await db.execute(sql`create table embeddings_next (like embeddings including all)`);
  await db.execute(sql`
    create function embeddings_load_capture() returns trigger language plpgsql as
    $$ begin return null; end $$`);
  await db.execute(sql`
    create trigger embeddings_load_insert after insert on embeddings
    for each statement execute function embeddings_load_capture()`);
}

/** A row into each table that is there, with whatever its columns take. */
export async function insertRows(db: Database): Promise<unknown> {
  const tables = await storeTables(db);
  for (const table of tables) {
    const columns = await selectRows<{ name: string; type: string }>(
      db,
      sql`
        select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
        where attrelid = format('%I.%I', current_schema(), ${table}::text)::regclass and attnum > 0
          and attnotnull and not atthasdef order by attnum`,
    );
    const values = columns.map(
      ({ name, type }) => sql`${sampleOf(name, type)}::text::${sql.raw(type)}`,
    );
    const names = columns.map(({ name }) => sql.identifier(name));
    const into =
      names.length > 0
        ? sql`(${sql.join(names, sql`, `)}) values (${sql.join(values, sql`, `)})`
        : sql`default values`;
    await db.execute(sql`insert into ${sql.identifier(table)} ${into} on conflict do nothing`);
  }
  return insertedRows(db);
}

function sampleOf(name: string, type: string): string {
  const vector = /vector\((\d+)\)/.exec(type);
  if (vector) {
    return `[${Array(Number(vector[1])).fill('0.5').join(',')}]`;
  }
  return { source: 'catalog', state: 'completed', trigger: 'manual' }[name] ?? '1';
}

/** Every row, but for what is generated. */
export async function insertedRows(db: Database): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const table of await storeTables(db)) {
    const inserted = await selectRows(
      db,
      sql`
        select to_jsonb(t) - array(
          select attname::text from pg_attribute
          where attrelid = format('%I.%I', current_schema(), ${table}::text)::regclass and attgenerated <> ''
        ) as values from ${sql.identifier(table)} t`,
    );
    if (inserted.length > 0) {
      found[table] = inserted;
    }
  }
  return found;
}

async function storeTables(db: Database): Promise<string[]> {
  const tables = await selectRows<{ name: string }>(
    db,
    sql`select tablename as name from pg_tables where schemaname = current_schema() and tablename <> 'ask_ai_migrations'`,
  );
  return tables.map(({ name }) => name).sort();
}
