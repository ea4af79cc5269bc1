import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import { Client, type QueryResultRow } from 'pg';
import { clusteredVectors } from '../../../../bench/vectors';
import { pollUntil } from '../../../../tests/services/poll';
import { createTestDatabase } from '../../../../tests/services/testDatabase';
import type { DatabaseConnection } from '../database/connection';
import { openPostgresConnection } from '../database/postgresConnection';
import { PgVectorStore, type PgVectorStoreOptions } from '../services/PgVectorStore';

/** On a machine that is busy with other things. */
const BUILD_MS = 60_000;

/** How a store of a {@link ServerStores} is opened. */
export interface ServerStoreOptions
  extends Pick<PgVectorStoreOptions, 'dimensions' | 'index' | 'migrate' | 'textSearchConfig'> {
  /** With 1, `connection.db` is the session that the store's searches use. Default 4. */
  maxConnections?: number;
  /** A role to work as. */
  role?: string;
}

/** A store and what is behind it. */
export interface ServerStore {
  store: PgVectorStore;
  connection: DatabaseConnection;
  /** What was logged as a warning. */
  warnings: string[];
}

/** Any number of stores, as of replicas, on one database of the test server, and a session beside them. */
export class ServerStores {
  private readonly opened: PgVectorStore[] = [];

  private constructor(
    readonly url: string,
    private readonly dropDatabase: () => Promise<void>,
    private readonly admin: Client,
  ) {}

  static async create(): Promise<ServerStores> {
    const database = await createTestDatabase();
    const admin = new Client({ connectionString: database.url });
    admin.on('error', () => undefined);
    await admin.connect();
    return new ServerStores(database.url, () => database.drop(), admin);
  }

  async open(options: ServerStoreOptions = {}): Promise<ServerStore> {
    const { maxConnections = 4, role, ...rest } = options;
    const warnings: string[] = [];
    const logger = {
      debug: () => {},
      info: () => {},
      warn: (message: string) => warnings.push(message),
    };
    const url = new URL(this.url);
    if (role !== undefined) {
      url.searchParams.set('options', `-c role=${role}`);
    }
    const connection = openPostgresConnection(
      { connectionString: url.href, maxConnections },
      logger,
    );
    const store = await PgVectorStore.create({ ...rest, connection, logger });
    this.opened.push(store);
    return { store, connection, warnings };
  }

  /** Rows of a statement on the session beside the stores, as the role of the test server. */
  async query<Row extends QueryResultRow>(statement: string, values?: unknown[]): Promise<Row[]> {
    return (await this.admin.query<Row>(statement, values)).rows;
  }

  /** The only row of a statement. */
  async queryOne<Row extends QueryResultRow>(statement: string, values?: unknown[]): Promise<Row> {
    const [row] = await this.query<Row>(statement, values);
    if (!row) {
      throw new Error(`No row: ${statement}`);
    }
    return row;
  }

  /** Sets a parameter for all sessions of the database that begin from now on. */
  async setForAll(parameter: string, value: string): Promise<void> {
    const { name } = await this.queryOne<{ name: string }>(
      'select quote_ident(current_database()) as name',
    );
    await this.query(`alter database ${name} set ${parameter} = '${value}'`);
  }

  /**
   * Holds a lock like that of a writer who has not committed: whoever builds or removes an index
   * concurrently waits for it, and nobody else.
   */
  async holdTable(): Promise<{ release(): Promise<void> }> {
    const holder = new Client({ connectionString: this.url });
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('begin');
    await holder.query('lock table embeddings in row exclusive mode');
    let ending: Promise<void> | undefined;
    return {
      release: () => {
        ending ??= holder.end();
        return ending;
      },
    };
  }

  /** The vector indexes of the table. */
  vectorIndexes(): Promise<{ name: string; valid: boolean; definition: string }[]> {
    return this.query(`
      select c.relname as name, i.indisvalid as valid, pg_get_indexdef(c.oid) as definition
      from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
      where i.indrelid = 'embeddings'::regclass and a.amname = 'hnsw' order by c.relname`);
  }

  /** Resolves when somebody builds an index and waits for a {@link holdTable}. */
  async buildWaits(): Promise<void> {
    await pollUntil('an index that waits for writers', BUILD_MS, async () => {
      const [row] = await this.query<{ phase: string }>(
        `select phase from pg_stat_progress_create_index where relid = 'embeddings'::regclass`,
      );
      return row?.phase.startsWith('waiting for writers') || undefined;
    });
  }

  /** Closes the stores and drops the database. */
  async close(): Promise<void> {
    try {
      await Promise.all(this.opened.map(store => store.close()));
    } finally {
      await this.admin.end();
      await this.dropDatabase();
    }
  }
}

/** What embeddings are made of; the same options give the same embeddings. */
export interface EmbeddingOptions {
  dimensions: number;
  /** Number of the first. Default 0. */
  first?: number;
  /** Of the vectors. Default 1. */
  seed?: number;
  /** Default: ten rows an entity, of five kinds and twenty namespaces. */
  entityOf?(row: number): string;
}

export const KINDS = ['component', 'api', 'system', 'resource', 'group'];

/** One row in four is of the catalog, the others of TechDocs. */
export function* embeddings(
  count: number,
  { dimensions, first = 0, seed = 1, entityOf = tenAnEntity }: EmbeddingOptions,
): Generator<EmbeddingVector> {
  const vectors = clusteredVectors(dimensions, seed);
  for (let row = first; row < first + count; row++) {
    const id = `chunk-${row}`;
    const source = row % 4 === 0 ? 'catalog' : 'techdocs';
    yield {
      id,
      chunkId: id,
      vector: vectors.next(),
      documentChunk: {
        id,
        entityId: entityOf(row),
        entityName: 'Service',
        content: `Chunk ${row} is about word${row % 997}.`,
        // The same however many there are.
        metadata: { source, chunkIndex: row, totalChunks: 100_000 },
      },
    };
  }
}

/** Entity `number` of those that have ten rows each. */
export function entity(number: number): string {
  return `${KINDS[number % 5]}:ns${number % 20}/service-${number}`;
}

function tenAnEntity(row: number): string {
  return entity(Math.floor(row / 10));
}

/** Vectors drawn like the stored ones, and not from them. */
export function queryVectors(dimensions: number): { next(): Float32Array } {
  return clusteredVectors(dimensions, 2);
}
