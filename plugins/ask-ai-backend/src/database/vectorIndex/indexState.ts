import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import { sql } from 'drizzle-orm';
import { type Database, selectRows } from '../connection';
import { liveTableOid } from '../liveTable';
import { isUnderMaintenance } from '../maintenanceLock';
import { DEFAULT_TEXT_SEARCH_CONFIG, DEFAULT_VECTOR_INDEX, embeddings } from '../schema';

/** The index that searches use, and the names that one has before and after its time. */
export const VECTOR_INDEX = 'embeddings_vector_idx';
export const NEW_VECTOR_INDEX = 'embeddings_vector_new_idx';
export const OLD_VECTOR_INDEX = 'embeddings_vector_old_idx';

/** An HNSW index as PostgreSQL's catalogs describe it. */
export interface VectorIndexState extends VectorIndexDefinition {
  name: string;
  /** `false`: searches don't use it. An index that is being built, or whose build was interrupted. */
  isValid: boolean;
  sizeBytes: number;
}

/** The vector indexes of the table `embeddings`, whoever made them. */
export async function readVectorIndexes(db: Database): Promise<VectorIndexState[]> {
  const rows = await selectRows<{
    name: string;
    valid: boolean;
    opclass: string;
    options: string[] | null;
    size: string | number;
  }>(
    db,
    sql`
      select c.relname as name, i.indisvalid as valid, o.opcname as opclass, c.reloptions as options,
        pg_relation_size(c.oid) as size
      from pg_index i
        join pg_class c on c.oid = i.indexrelid
        join pg_am am on am.oid = c.relam
        join pg_opclass o on o.oid = i.indclass[0]
      where i.indrelid = ${liveTableOid} and am.amname = 'hnsw'`,
  );
  return rows.map(({ name, valid, opclass, options, size }) => ({
    name,
    isValid: valid,
    precision: opclass.startsWith('halfvec') ? 'half' : 'full',
    m: option(options, 'm') ?? DEFAULT_VECTOR_INDEX.m,
    efConstruction: option(options, 'ef_construction') ?? DEFAULT_VECTOR_INDEX.efConstruction,
    sizeBytes: Number(size),
  }));
}

/** What PostgreSQL's catalogs say of the table `embeddings` and its vector index. */
export interface TableState {
  dimensions: number;
  /** Whose words the column of words holds, as PostgreSQL writes its name. */
  textSearchConfig: string;
  /** The index that searches use. */
  live: VectorIndexState | undefined;
  /** There are indexes that are being built, or that a killed process left. */
  hasOthers: boolean;
  /** A new index is being built at this moment. */
  isBuilding: boolean;
}

export async function readTableState(db: Database): Promise<TableState> {
  const indexes = await readVectorIndexes(db);
  const hasOthers = indexes.some(({ name }) => name !== VECTOR_INDEX);
  return {
    dimensions: await readDimensions(db),
    textSearchConfig: await readTextSearchConfig(db),
    live: indexes.find(({ name }) => name === VECTOR_INDEX),
    hasOthers,
    isBuilding: hasOthers && (await isBuilding(db, indexes)),
  };
}

/** The dimension that the vector column is declared with, in pgvector's `atttypmod`. */
export async function readDimensions(db: Database): Promise<number> {
  const [row] = await selectRows<{ dimensions: number }>(
    db,
    sql`select atttypmod as dimensions from pg_attribute
      where attrelid = ${liveTableOid} and attname = ${embeddings.vector.name}`,
  );
  if (!row) {
    // Says what to do where the tables were not made yet.
    await db.execute(sql`select 'embeddings'::regclass`);
  }
  return Number(row?.dimensions);
}

/** As the expression of the generated column names it: `to_tsvector('german'::regconfig, ...)`. */
async function readTextSearchConfig(db: Database): Promise<string> {
  const [row] = await selectRows<{ expression: string | null }>(
    db,
    sql`
      select pg_get_expr(adbin, adrelid) as expression
      from pg_attrdef join pg_attribute on attrelid = adrelid and attnum = adnum
      where adrelid = ${liveTableOid} and attname = ${embeddings.contentTsv.name}`,
  );
  if (row?.expression === null) {
    // Another table has taken the place of this one a moment ago.
    return readTextSearchConfig(db);
  }
  const literal = /to_tsvector\('((?:[^']|'')+)'::regconfig/.exec(row?.expression ?? '')?.[1];
  return literal?.replaceAll("''", "'") ?? DEFAULT_TEXT_SEARCH_CONFIG;
}

/**
 * What others build is hidden from a role without their rights, which sees the new index all the same, and
 * that somebody holds the lock of those who build one.
 */
async function isBuilding(db: Database, indexes: VectorIndexState[]): Promise<boolean> {
  if (indexes.some(({ name }) => name === NEW_VECTOR_INDEX) && (await isUnderMaintenance(db))) {
    return true;
  }
  const [row] = await selectRows<{ building: boolean }>(
    db,
    sql`
      select exists (
        select from pg_stat_progress_create_index where relid = ${liveTableOid}
      ) as building`,
  );
  return row?.building ?? false;
}

function option(options: string[] | null, key: string): number | undefined {
  const found = options?.find(text => text.startsWith(`${key}=`));
  return found === undefined ? undefined : Number(found.slice(key.length + 1));
}
