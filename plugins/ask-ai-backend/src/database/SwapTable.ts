import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { type SQL, sql } from 'drizzle-orm';
import { VectorStoreSchemaError } from '../errors';
import { type Database, type DatabaseConnection, selectRows } from './connection';
import { copyGrants } from './load/grants';
import { isBeside } from './load/isBeside';
import { embeddings, embeddingsTable } from './schema';
import { buildIndex } from './vectorIndex/buildIndex';
import { NEW_VECTOR_INDEX, OLD_VECTOR_INDEX } from './vectorIndex/indexState';
import { declaredIndexes } from './vectorIndex/indexStatements';
import type { BuildOptions } from './vectorIndex/types';

/** A table with the columns of `embeddings` that is filled beside it and takes its place in the end. */
export class SwapTable {
  readonly table: ReturnType<typeof embeddingsTable>;
  private readonly vectorIndex: string;
  /** Of the indexes, while they are built and when they serve. */
  private readonly indexNames: Map<string, string>;

  constructor(
    private readonly name: string,
    private readonly shape: { dimensions: number; definition: VectorIndexDefinition },
  ) {
    this.table = embeddingsTable(name, shape.dimensions, shape.definition);
    this.vectorIndex = `${name}_vector_idx`;
    this.indexNames = new Map([[`${name}_pkey`, 'embeddings_pkey']]);
  }

  /** What an administrator set for the live table, such as for autovacuum. */
  async copySettings(session: Database): Promise<void> {
    await session.execute(sql`
      do $$
      declare
        setting text;
      begin
        for setting in select unnest(reloptions) from pg_class where oid = 'embeddings'::regclass loop
          execute format('alter table %I set (%s = %L)', ${this.literal},
            split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1));
        end loop;
      end $$`);
  }

  /**
   * Every index of the schema and of the live table but the primary key, the vector index last. Those that
   * are there already stay.
   */
  async buildIndexes(
    connection: DatabaseConnection,
    session: Database,
    rows: number,
    options: BuildOptions,
  ): Promise<void> {
    const declared = declaredIndexes(this.table);
    for (const { name } of declared) {
      this.indexNames.set(name, name.replace(this.name, 'embeddings'));
    }
    const vectorIndex = declared.find(({ name }) => name === this.vectorIndex);
    for (const index of [
      ...declared.filter(candidate => candidate !== vectorIndex),
      ...(await this.addedIndexes(session)),
    ]) {
      options.signal?.throwIfAborted();
      if (!(await isBeside(session, index.name))) {
        await session.execute(index.create());
      }
    }
    if (vectorIndex && !(await isBeside(session, vectorIndex.name))) {
      const size = { ...this.shape.definition, dimensions: this.shape.dimensions, rows };
      await buildIndex(connection, session, { ...size, statement: vectorIndex.create() }, options);
    }
    await session.execute(sql`analyze ${this.table}`);
  }

  /** Indexes that an administrator gave to the live table, under names of their own for a while. */
  private async addedIndexes(session: Database): Promise<{ name: string; create(): SQL }[]> {
    const known = [...this.indexNames.values(), NEW_VECTOR_INDEX, OLD_VECTOR_INDEX];
    // What follows the names in the definition, which are not those of the loaded table.
    const added = await selectRows<{ name: string; unique: boolean; rest: string }>(
      session,
      sql`
        select c.relname as name, indisunique as unique,
          substr(pg_get_indexdef(indexrelid), 1 + length(format('CREATE %sINDEX %I ON %I.%I',
            case when indisunique then 'UNIQUE ' else '' end, c.relname, nspname, t.relname))) as rest
        from pg_index
          join pg_class c on c.oid = indexrelid
          join pg_class t on t.oid = indrelid
          join pg_namespace n on n.oid = t.relnamespace
        where indrelid = 'embeddings'::regclass and indisvalid
          and c.relname <> all(${sql.param(known)}::text[])
        order by c.relname`,
    );
    return added.map(({ name, unique, rest }, position) => {
      const loadedName = `${this.name}_added_${position}_idx`;
      this.indexNames.set(loadedName, name);
      const kind = sql.raw(unique ? 'unique index' : 'index');
      const index = sql`${kind} ${sql.identifier(loadedName)} on ${this.table}${sql.raw(rest)}`;
      return { name: loadedName, create: () => sql`create ${index}` };
    });
  }

  /**
   * Puts it in the place of `embeddings`. Call it in a transaction that holds an exclusive lock on
   * `embeddings`: others see the old table until it ends, and the new one after.
   */
  async swapIn(transaction: Database): Promise<void> {
    await this.assertIndexIsValid(transaction);
    await copyGrants(transaction, 'embeddings', this.name);
    await this.copyRowSecurity(transaction);
    await this.copyComment(transaction);
    await transaction.execute(sql`drop table ${embeddings}`);
    await transaction.execute(sql`alter table ${this.table} rename to embeddings`);
    for (const [name, liveName] of this.indexNames) {
      await transaction.execute(
        sql`alter index ${sql.identifier(name)} rename to ${sql.identifier(liveName)}`,
      );
    }
  }

  /** Without a policy, it hides all rows; who has policies is refused a swap by `assertNoLoadObstacle`. */
  private async copyRowSecurity(transaction: Database): Promise<void> {
    await transaction.execute(sql`
      do $$
      declare
        live record;
      begin
        select relrowsecurity, relforcerowsecurity into live
          from pg_class where oid = 'embeddings'::regclass;
        if live.relrowsecurity then
          execute format('alter table %I enable row level security', ${this.literal});
        end if;
        if live.relforcerowsecurity then
          execute format('alter table %I force row level security', ${this.literal});
        end if;
      end $$`);
  }

  private async copyComment(transaction: Database): Promise<void> {
    await transaction.execute(sql`
      do $$ begin
        execute format('comment on table %I is %L', ${this.literal},
          obj_description('embeddings'::regclass, 'pg_class'));
      end $$`);
  }

  private async assertIndexIsValid(transaction: Database): Promise<void> {
    const [row] = await selectRows<{ valid: boolean }>(
      transaction,
      sql`
        select indisvalid as valid from pg_index join pg_class on pg_class.oid = indexrelid
        where relname = ${this.vectorIndex} and indrelid = ${this.name}::text::regclass`,
    );
    if (!row?.valid) {
      throw new VectorStoreSchemaError(
        'The vector index of the new rows is not valid: try again. What was there before goes on serving.',
      );
    }
  }

  /** A DO block takes no parameters; the name is one of ours. */
  private get literal(): SQL {
    return sql.raw(`'${this.name}'`);
  }
}
