import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import type { StoredDocument } from 'backstage-plugin-ask-ai-node';
import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { VectorStoreSchemaError } from '../../errors';
import { type Database, type DatabaseConnection, selectRows } from '../connection';
import { embeddings, embeddingsTable, indexedDocuments } from '../schema';
import { buildIndex } from '../vectorIndex/buildIndex';
import { NEW_VECTOR_INDEX, OLD_VECTOR_INDEX } from '../vectorIndex/indexState';
import { declaredIndexes } from '../vectorIndex/indexStatements';
import type { BuildOptions } from '../vectorIndex/types';
import { writtenColumns } from './copyFormat';
import { copyGrants, copyOwner } from './grants';
import { isBeside } from './isBeside';

const LOADED = 'embeddings_load';
const LOADED_DOCUMENTS = 'indexed_documents_load';
const VECTOR_INDEX = `${LOADED}_vector_idx`;
const SHAPE = sql.identifier(`${LOADED}_shape`);

const documentColumns = Object.values(getTableColumns(indexedDocuments));
const documentNames = sql.join(
  documentColumns.map(({ name }) => sql.identifier(name)),
  sql`, `,
);

/**
 * The table that a load fills beside `embeddings`, and that takes its place in the end. Where a
 * transaction made it, nobody else sees it before.
 */
export class StagingTable {
  readonly table: ReturnType<typeof embeddingsTable>;
  private readonly documents = sql.identifier(LOADED_DOCUMENTS);
  /** Of the indexes, while they are built and when they serve. */
  private readonly indexNames = new Map([[`${LOADED}_pkey`, 'embeddings_pkey']]);

  private constructor(
    private readonly dimensions: number,
    private readonly definition: VectorIndexDefinition,
  ) {
    this.table = embeddingsTable(LOADED, dimensions, definition);
  }

  /**
   * Makes an empty table with the columns of `embeddings`, for `create`: whoever makes a table like
   * another keeps that from being altered until the end of the transaction, and a load may take hours.
   */
  static async prepare(transaction: Database): Promise<void> {
    await transaction.execute(
      sql`create table ${SHAPE} (like ${embeddings} including all excluding indexes)`,
    );
    await copyOwner(transaction, 'embeddings', 'table embeddings_load_shape');
  }

  /** Makes it anew, with its primary key and no other index, after `prepare`. */
  static async create(
    session: Database,
    options: { dimensions: number; definition: VectorIndexDefinition },
  ): Promise<StagingTable> {
    const staging = new StagingTable(options.dimensions, options.definition);
    await session.execute(
      sql`create table ${staging.table} (like ${SHAPE} including all, primary key (id))`,
    );
    await copySettings(session);
    const columns = documentColumns.map(
      column => sql`${sql.identifier(column.name)} ${sql.raw(column.getSQLType())}`,
    );
    await session.execute(
      sql`create table ${staging.documents} (${sql.join(columns, sql`, `)}, primary key (entity_id, source))`,
    );
    return staging;
  }

  static isLeft(db: Database): Promise<boolean> {
    return isBeside(db, LOADED);
  }

  /** Removes what a load left that failed outside of a transaction. */
  static async drop(session: Database): Promise<void> {
    await session.execute(
      sql`drop table if exists ${sql.identifier(LOADED)}, ${sql.identifier(LOADED_DOCUMENTS)}, ${SHAPE}`,
    );
  }

  /** Removes rows that come again. @returns how many there were. */
  async removeRows(session: Database, ids: string[]): Promise<number> {
    const rows = await selectRows(
      session,
      sql`delete from ${this.table} where id = any(${sql.param(ids)}::text[]) returning 1 as one`,
    );
    return rows.length;
  }

  async addDocuments(session: Database, records: StoredDocument[]): Promise<void> {
    await session.execute(sql`
      insert into ${this.documents} (entity_id, source, fingerprint, chunk_count, indexed_at)
      select "entityId", source, fingerprint, "chunkCount", now()
      from jsonb_to_recordset(${JSON.stringify(records)}::jsonb)
        as record ("entityId" text, source text, fingerprint text, "chunkCount" int)
      on conflict (entity_id, source)
        do update set fingerprint = excluded.fingerprint, chunk_count = excluded.chunk_count`);
  }

  /** Every index of the schema and of the live table but the primary key, the vector index last. */
  async buildIndexes(
    connection: DatabaseConnection,
    session: Database,
    rows: number,
    options: BuildOptions,
  ): Promise<void> {
    const declared = declaredIndexes(this.table);
    for (const { name } of declared) {
      this.indexNames.set(name, name.replace(LOADED, 'embeddings'));
    }
    const vectorIndex = declared.find(({ name }) => name === VECTOR_INDEX);
    for (const index of [
      ...declared.filter(candidate => candidate !== vectorIndex),
      ...(await this.addedIndexes(session)),
    ]) {
      options.signal?.throwIfAborted();
      await session.execute(index.create());
    }
    if (vectorIndex) {
      const size = { ...this.definition, dimensions: this.dimensions, rows };
      await buildIndex(connection, session, { ...size, statement: vectorIndex.create() }, options);
    }
    await session.execute(sql`analyze ${this.table}`);
  }

  /** Indexes that an administrator gave to the live table, under names of their own for a while. */
  private async addedIndexes(session: Database): Promise<{ create(): SQL }[]> {
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
      const loadedName = `${LOADED}_added_${position}_idx`;
      this.indexNames.set(loadedName, name);
      const kind = sql.raw(unique ? 'unique index' : 'index');
      const index = sql`${kind} ${sql.identifier(loadedName)} on ${this.table}${sql.raw(rest)}`;
      return { create: () => sql`create ${index}` };
    });
  }

  /** Makes the rows that meet a condition, and the records where it fits them, equal to the live ones. */
  async takeOver(
    session: Database,
    condition: SQL,
    { isOfRows }: { isOfRows: boolean },
  ): Promise<void> {
    const columns = sql`${writtenColumns}, created_at, updated_at`;
    await session.execute(sql`delete from ${this.table} where ${condition}`);
    if (!isOfRows) {
      // The stream may have given a row of these to another document.
      await session.execute(
        sql`delete from ${this.table} where id in (select id from ${embeddings} where ${condition})`,
      );
    }
    await session.execute(
      sql`insert into ${this.table} (${columns}) select ${columns} from ${embeddings} where ${condition}`,
    );
    if (!isOfRows) {
      await session.execute(sql`delete from ${this.documents} where ${condition}`);
      await session.execute(
        sql`insert into ${this.documents} select ${documentNames} from ${indexedDocuments} where ${condition}`,
      );
    }
  }

  /**
   * Puts it in the place of `embeddings`. Call it in a transaction that holds an exclusive lock on
   * `embeddings`: others see the old table until it ends, and the new one after.
   *
   * @param withDocuments - whether the records take the place of those in `indexed_documents`.
   */
  async swapIn(
    transaction: Database,
    { withDocuments }: { withDocuments: boolean },
  ): Promise<void> {
    await this.assertIndexIsValid(transaction);
    await copyGrants(transaction, 'embeddings', LOADED);
    if (withDocuments) {
      await transaction.execute(sql`delete from ${indexedDocuments}`);
      await transaction.execute(
        sql`insert into ${indexedDocuments} (${documentNames}) select * from ${this.documents}`,
      );
    }
    await transaction.execute(sql`drop table ${this.documents}, ${SHAPE}`);
    await transaction.execute(sql`drop table ${embeddings}`);
    await transaction.execute(sql`alter table ${this.table} rename to embeddings`);
    for (const [name, liveName] of this.indexNames) {
      await transaction.execute(
        sql`alter index ${sql.identifier(name)} rename to ${sql.identifier(liveName)}`,
      );
    }
  }

  private async assertIndexIsValid(transaction: Database): Promise<void> {
    const [row] = await selectRows<{ valid: boolean }>(
      transaction,
      sql`select indisvalid as valid from pg_index where indexrelid = ${VECTOR_INDEX}::regclass`,
    );
    if (!row?.valid) {
      throw new VectorStoreSchemaError(
        'The vector index of the loaded rows is not valid: load them again. What was there before goes on serving.',
      );
    }
  }
}

/** What an administrator set for the live table, such as for autovacuum, and said of it. */
async function copySettings(session: Database): Promise<void> {
  await session.execute(sql`
    do $$
    declare
      live oid := 'embeddings'::regclass;
      setting text;
    begin
      for setting in select unnest(reloptions) from pg_class where oid = live loop
        execute format('alter table embeddings_load set (%s = %L)',
          split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1));
      end loop;
      execute format('comment on table embeddings_load is %L', obj_description(live, 'pg_class'));
    end $$`);
}
