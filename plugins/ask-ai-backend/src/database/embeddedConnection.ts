import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PgDialect } from 'drizzle-orm/pg-core';
import type { CopyIn, Database, DatabaseConnection } from './connection';
import { lockFolder } from './folderLock';

/**
 * Opens PGlite, PostgreSQL in WebAssembly, on a folder that this process then holds alone.
 *
 * @param directory - created when it is not there; `undefined` keeps the data in memory.
 * @throws VectorStoreUnavailableError when another process holds the folder.
 */
export async function openEmbeddedConnection(directory?: string): Promise<DatabaseConnection> {
  const folder = directory === undefined ? undefined : resolve(directory);
  const unlock = folder === undefined ? async () => {} : await lockFolder(folder);
  try {
    // Loaded when it is chosen: 20 MB of WebAssembly that a server's user never needs.
    const [{ PGlite }, { vector }, { drizzle }] = await Promise.all([
      import('@electric-sql/pglite'),
      import('@electric-sql/pglite-pgvector'),
      import('drizzle-orm/pglite'),
    ]);
    if (folder !== undefined) {
      await mkdir(folder, { recursive: true });
    }
    const client = await PGlite.create({ dataDir: folder, extensions: { vector } });
    const db = drizzle(client) as unknown as Database;
    const dialect = new PgDialect();
    // What `STDIN` is to a server, PGlite calls `/dev/blob`.
    const copyIn: CopyIn = async (statement, data) => {
      const text = dialect.sqlToQuery(statement).sql.replace(/ from stdin /i, " FROM '/dev/blob' ");
      await client.query(text, [], { blob: new Blob(data.map(part => new Uint8Array(part))) });
    };
    let closing: Promise<void> | undefined;
    const connection: DatabaseConnection = {
      kind: 'embedded',
      get reader() {
        return connection;
      },
      get admin() {
        return connection;
      },
      description: folder ?? 'memory',
      db,
      maxConnections: 1,
      withMaintenanceSession: work => work(db, copyIn),
      transaction: work => db.transaction(transaction => work(transaction)),
      close: () => {
        closing ??= client.close().finally(unlock);
        return closing;
      },
    };
    return connection;
  } catch (error) {
    await unlock();
    throw error;
  }
}
