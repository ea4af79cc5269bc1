import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import type { StoredDocument } from 'backstage-plugin-ask-ai-node';
import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { type Database, type DatabaseConnection, selectRows } from '../connection';
import { namesBesideLive } from '../liveTable';
import { SwapTable } from '../SwapTable';
import { embeddings, indexedDocuments, searchedWords } from '../schema';
import type { BuildOptions } from '../vectorIndex/types';
import { writtenColumns } from './copyFormat';
import { copyOwner } from './grants';
import { isBeside } from './isBeside';

const LOADED = 'embeddings_load';
const LOADED_DOCUMENTS = 'indexed_documents_load';
const SHAPE = `${LOADED}_shape`;
const SHAPE_TABLE = sql.identifier(SHAPE);

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
  private readonly documents = sql.identifier(LOADED_DOCUMENTS);

  private constructor(private readonly rows: SwapTable) {}

  get table(): SwapTable['table'] {
    return this.rows.table;
  }

  /**
   * Makes an empty table with the columns of `embeddings`, for `create`: whoever makes a table like
   * another keeps that from being altered until the end of the transaction, and a load may take hours.
   */
  static async prepare(transaction: Database): Promise<void> {
    await transaction.execute(
      sql`create table ${SHAPE_TABLE} (like ${embeddings} including all excluding indexes)`,
    );
    await copyOwner(transaction, 'embeddings', 'table embeddings_load_shape');
  }

  /** Makes it anew, with its primary key and no other index, after `prepare`. */
  static async create(
    session: Database,
    options: {
      dimensions: number;
      definition: VectorIndexDefinition;
      textSearchConfig?: string;
    },
  ): Promise<StagingTable> {
    const rows = new SwapTable(LOADED, options);
    const staging = new StagingTable(rows);
    await session.execute(
      sql`create table ${staging.table} (like ${SHAPE_TABLE} including all, primary key (id))`,
    );
    if (options.textSearchConfig !== undefined) {
      await staging.setTextSearchConfig(session, options.textSearchConfig);
    }
    await rows.copySettings(session);
    const columns = documentColumns.map(
      column => sql`${sql.identifier(column.name)} ${sql.raw(column.getSQLType())}`,
    );
    await session.execute(
      sql`create table ${staging.documents} (${sql.join(columns, sql`, `)}, primary key (entity_id, source))`,
    );
    return staging;
  }

  /** While there are no rows, this takes no time. */
  private async setTextSearchConfig(session: Database, textSearchConfig: string): Promise<void> {
    const column = sql.identifier(this.table.contentTsv.name);
    await session.execute(sql`
      alter table ${this.table} drop column ${column}, add column ${column} tsvector
        generated always as (${sql.raw(searchedWords(textSearchConfig))}) stored`);
  }

  static isLeft(db: Database): Promise<boolean> {
    return isBeside(db, LOADED);
  }

  /** Removes what a load left that failed outside of a transaction. */
  static async drop(session: Database): Promise<void> {
    const beside = await namesBesideLive(session);
    await session.execute(
      sql`drop table if exists ${sql.join([LOADED, LOADED_DOCUMENTS, SHAPE].map(beside), sql`, `)}`,
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
  buildIndexes(
    connection: DatabaseConnection,
    session: Database,
    rows: number,
    options: BuildOptions,
  ): Promise<void> {
    return this.rows.buildIndexes(connection, session, rows, options);
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
    if (withDocuments) {
      await transaction.execute(sql`delete from ${indexedDocuments}`);
      await transaction.execute(
        sql`insert into ${indexedDocuments} (${documentNames}) select * from ${this.documents}`,
      );
    }
    await transaction.execute(sql`drop table ${this.documents}, ${SHAPE_TABLE}`);
    await this.rows.swapIn(transaction);
  }
}
