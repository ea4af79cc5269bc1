import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import type { DocumentKey, EmbeddingSpace, EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import { and, asc, count, eq, gt, notExists, type SQL, sql } from 'drizzle-orm';
import { escapeLiteral } from 'pg';
import { isSameSpace } from '../../lib/embeddingSpace';
import { validateEmbeddings } from '../../lib/validation';
import { type Database, type DatabaseConnection, selectRows } from '../connection';
import { isOfDocuments } from '../documentRows';
import { chunkColumns, PROPOSED_VALUES, toDocumentChunk, toEmbeddingRow } from '../embeddingRows';
import { namesBesideLive } from '../liveTable';
import { copyOwner } from '../load/grants';
import { isBeside } from '../load/isBeside';
import { SwapTable } from '../SwapTable';
import { embeddings } from '../schema';
import type { BuildOptions } from '../vectorIndex/types';

const NEXT = 'embeddings_next';
const NEXT_TABLE = sql.identifier(NEXT);

/** Two statements of that many rows are planned and sent in a moment. */
const ROWS_PER_STATEMENT = 100;

/** A row of `embeddings` that has no vector of the other space yet. */
export type PendingRow = Awaited<ReturnType<NextTable['pending']>>[number];

/** Such a row with its new vector. */
export interface EmbeddedRow {
  row: PendingRow;
  vector: ArrayLike<number>;
}

/**
 * The table beside `embeddings` that holds the same chunks with vectors of another space, as far as they
 * are embedded. It outlives the process: its comment says which space it is of.
 */
export class NextTable {
  private constructor(
    private readonly swap: SwapTable,
    private readonly space: EmbeddingSpace,
  ) {}

  /** Goes on with the table that is there, when it is of that space and of the shape of `embeddings`. */
  static async open(
    transaction: Database,
    space: EmbeddingSpace,
    definition: VectorIndexDefinition,
  ): Promise<NextTable> {
    const { dimensions } = space;
    const next = new NextTable(new SwapTable(NEXT, { dimensions, definition }), space);
    const left = await NextTable.spaceOfLeft(transaction);
    if (!left || !isSameSpace(left, space) || !(await next.hasColumnsOfLive(transaction))) {
      await NextTable.drop(transaction);
      await next.create(transaction);
    }
    return next;
  }

  /** What an interrupted change of space was about. */
  static async spaceOfLeft(db: Database): Promise<EmbeddingSpace | undefined> {
    if (!(await isBeside(db, NEXT))) {
      return undefined;
    }
    const [row] = await selectRows<{ comment: string | null }>(
      db,
      sql`select obj_description(${NEXT}::text::regclass, 'pg_class') as comment`,
    );
    return row?.comment ? (JSON.parse(row.comment) as EmbeddingSpace) : undefined;
  }

  static async drop(session: Database): Promise<void> {
    const beside = await namesBesideLive(session);
    await session.execute(sql`drop table if exists ${beside(NEXT)}`);
  }

  /** Live rows, by id, that are not here as they are there. */
  pending(db: Database, { after, limit }: { after: string; limit: number }) {
    return db
      .select({
        id: embeddings.id,
        ...chunkColumns,
        contentHash: embeddings.contentHash,
        createdAt: embeddings.createdAt,
        updatedAt: embeddings.updatedAt,
      })
      .from(embeddings)
      .where(and(gt(embeddings.id, after), this.isPending(db)))
      .orderBy(asc(embeddings.id))
      .limit(limit);
  }

  /** How many live rows are not here as they are there, but for those of some documents. */
  async countPending(db: Database, except: readonly DocumentKey[] = []): Promise<number> {
    const [row] = await db
      .select({ value: count() })
      .from(embeddings)
      .where(and(this.isPending(db), sql`not ${isOfDocuments(except)}`));
    return row?.value ?? 0;
  }

  /** @throws InvalidVectorError or DimensionMismatchError, with nothing written. */
  async write(db: Database, rows: readonly EmbeddedRow[]): Promise<void> {
    validateEmbeddings(rows.map(toEmbedding), this.space.dimensions);
    for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
      const values = rows.slice(start, start + ROWS_PER_STATEMENT).map(toRow);
      await db
        .insert(this.swap.table)
        .values(values)
        .onConflictDoUpdate({ target: this.swap.table.id, set: WRITTEN });
    }
  }

  /** Removes what is no longer in `embeddings`, and what belongs to some documents. */
  async removeGone(db: Database, except: readonly DocumentKey[]): Promise<void> {
    const { table } = this.swap;
    await db
      .delete(table)
      .where(
        sql`${isOfDocuments(except, table)} or ${notExists(
          db.select({ id: embeddings.id }).from(embeddings).where(eq(embeddings.id, table.id)),
        )}`,
      );
  }

  buildIndexes(
    connection: DatabaseConnection,
    session: Database,
    rows: number,
    options: BuildOptions,
  ): Promise<void> {
    return this.swap.buildIndexes(connection, session, rows, options);
  }

  /** See `SwapTable.swapIn`. */
  swapIn(transaction: Database): Promise<void> {
    return this.swap.swapIn(transaction);
  }

  /** Whether a migration has changed neither of the tables. */
  async hasColumnsOfLive(db: Database): Promise<boolean> {
    const [row] = await selectRows<{ same: boolean }>(
      db,
      sql`select (${columnsOf('embeddings')}) = (${columnsOf(NEXT)}) as same`,
    );
    return row?.same ?? false;
  }

  private isPending(db: Database): SQL {
    const { table } = this.swap;
    return notExists(
      db
        .select({ id: table.id })
        .from(table)
        .where(and(eq(table.id, embeddings.id), eq(table.contentHash, embeddings.contentHash))),
    );
  }

  private async create(transaction: Database): Promise<void> {
    const { provider, model, dimensions, chunkerVersion } = this.space;
    const type = sql.raw(`vector(${Math.trunc(dimensions)})`);
    const comment = JSON.stringify({ provider, model, dimensions, chunkerVersion });
    await transaction.execute(
      sql`create table ${NEXT_TABLE} (like ${embeddings} including all excluding indexes, primary key (id))`,
    );
    await transaction.execute(sql`alter table ${NEXT_TABLE} alter column vector type ${type}`);
    // Another type brings its own storage; see the migration `keep_vectors_inline`.
    await transaction.execute(sql`alter table ${NEXT_TABLE} alter column vector set storage main`);
    await this.swap.copySettings(transaction);
    await transaction.execute(
      sql`comment on table ${NEXT_TABLE} is ${sql.raw(escapeLiteral(comment))}`,
    );
    await copyOwner(transaction, 'embeddings', 'table embeddings_next');
  }
}

const WRITTEN = {
  ...PROPOSED_VALUES,
  createdAt: sql`excluded.created_at`,
  updatedAt: sql`excluded.updated_at`,
};

function toEmbedding({ row, vector }: EmbeddedRow): EmbeddingVector {
  return { id: row.id, chunkId: row.chunkId, vector, documentChunk: toDocumentChunk(row) };
}

/** The hash is that of the live row, whichever version of the plugin made it. */
function toRow(embedded: EmbeddedRow) {
  const { contentHash, createdAt, updatedAt } = embedded.row;
  return { ...toEmbeddingRow(toEmbedding(embedded)), contentHash, createdAt, updatedAt };
}

/** The names of the columns of a table, and their types but for that of the vector. */
function columnsOf(table: string): SQL {
  return sql`
    select json_agg(json_build_array(attname, atttypid, attnotnull) order by attname)::text
    from pg_attribute where attrelid = ${table}::text::regclass and attnum > 0 and not attisdropped`;
}
