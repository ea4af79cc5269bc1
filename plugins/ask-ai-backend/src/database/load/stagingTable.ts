import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import type { StoredDocument } from 'backstage-plugin-ask-ai-node';
import { type SQL, sql } from 'drizzle-orm';
import { VectorStoreSchemaError } from '../../errors';
import { type Database, type DatabaseConnection, selectRows } from '../connection';
import { embeddings, embeddingsTable, indexedDocuments } from '../schema';
import { buildIndex } from '../vectorIndex/buildIndex';
import { declaredIndexes } from '../vectorIndex/indexStatements';
import type { BuildOptions } from '../vectorIndex/types';
import { writtenColumns } from './copyFormat';
import { copyGrants } from './grants';

const LOADED = 'embeddings_load';
const LOADED_DOCUMENTS = 'indexed_documents_load';

/**
 * The table that a load fills beside `embeddings`, and that takes its place in the end. Where a
 * transaction made it, nobody else sees it before.
 */
export class StagingTable {
  readonly table: ReturnType<typeof embeddingsTable>;
  private readonly documents = sql.identifier(LOADED_DOCUMENTS);

  private constructor(
    private readonly dimensions: number,
    private readonly definition: VectorIndexDefinition,
  ) {
    this.table = embeddingsTable(LOADED, dimensions, definition);
  }

  /** Makes it anew, with its primary key and no other index. */
  static async create(
    session: Database,
    options: { dimensions: number; definition: VectorIndexDefinition },
  ): Promise<StagingTable> {
    const staging = new StagingTable(options.dimensions, options.definition);
    await StagingTable.drop(session);
    const everything = sql.raw('including all excluding indexes excluding statistics');
    await session.execute(
      sql`create table ${staging.table} (like ${embeddings} ${everything}, primary key (id))`,
    );
    await session.execute(
      sql`create table ${staging.documents} (like ${indexedDocuments} including all)`,
    );
    return staging;
  }

  static async isLeft(db: Database): Promise<boolean> {
    const [row] = await selectRows<{ found: boolean }>(
      db,
      sql`select to_regclass(${LOADED}) is not null as found`,
    );
    return row?.found ?? false;
  }

  /** Removes what a load left that failed outside of a transaction. */
  static async drop(session: Database): Promise<void> {
    await session.execute(
      sql`drop table if exists ${sql.identifier(LOADED)}, ${sql.identifier(LOADED_DOCUMENTS)}`,
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
      insert into ${this.documents} (entity_id, source, fingerprint, chunk_count)
      select "entityId", source, fingerprint, "chunkCount"
      from jsonb_to_recordset(${JSON.stringify(records)}::jsonb)
        as record ("entityId" text, source text, fingerprint text, "chunkCount" int)
      on conflict (entity_id, source)
        do update set fingerprint = excluded.fingerprint, chunk_count = excluded.chunk_count`);
  }

  /** Every index of the schema but the primary key, the vector index last. */
  async buildIndexes(
    connection: DatabaseConnection,
    session: Database,
    rows: number,
    options: BuildOptions,
  ): Promise<void> {
    const indexes = declaredIndexes(this.table);
    const isVectorIndex = ({ name }: { name: string }) => name === `${LOADED}_vector_idx`;
    for (const index of indexes.filter(candidate => !isVectorIndex(candidate))) {
      options.signal?.throwIfAborted();
      await session.execute(index.create());
    }
    for (const index of indexes.filter(isVectorIndex)) {
      const size = { ...this.definition, dimensions: this.dimensions, rows };
      await buildIndex(connection, session, { ...size, statement: index.create() }, options);
    }
    await session.execute(sql`analyze ${this.table}`);
  }

  /** Makes the rows that meet a condition, and the records where it fits them, equal to the live ones. */
  async takeOver(
    session: Database,
    condition: SQL,
    { isOfRows }: { isOfRows: boolean },
  ): Promise<void> {
    const columns = sql`${writtenColumns}, created_at, updated_at`;
    await session.execute(sql`delete from ${this.table} where ${condition}`);
    await session.execute(
      sql`insert into ${this.table} (${columns}) select ${columns} from ${embeddings} where ${condition}`,
    );
    if (!isOfRows) {
      await session.execute(sql`delete from ${this.documents} where ${condition}`);
      await session.execute(
        sql`insert into ${this.documents} select * from ${indexedDocuments} where ${condition}`,
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
        sql`insert into ${indexedDocuments} select * from ${this.documents}`,
      );
    }
    await transaction.execute(sql`drop table ${this.documents}`);
    await transaction.execute(sql`drop table ${embeddings}`);
    await transaction.execute(sql`alter table ${this.table} rename to embeddings`);
    const names = declaredIndexes(this.table).map(({ name }) => name);
    for (const name of [...names, `${LOADED}_pkey`]) {
      const liveName = name.replace(LOADED, 'embeddings');
      await transaction.execute(
        sql`alter index ${sql.identifier(name)} rename to ${sql.identifier(liveName)}`,
      );
    }
  }

  private async assertIndexIsValid(transaction: Database): Promise<void> {
    const [row] = await selectRows<{ valid: boolean }>(
      transaction,
      sql`select indisvalid as valid from pg_index where indexrelid = ${`${LOADED}_vector_idx`}::regclass`,
    );
    if (!row?.valid) {
      throw new VectorStoreSchemaError(
        'The vector index of the loaded rows is not valid: load them again. What was there before goes on serving.',
      );
    }
  }
}
