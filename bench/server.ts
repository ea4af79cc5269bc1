import { createDatabase, dropDatabases, prepareDatabases } from '../tests/services/databases';
import { inspectServer, type ServerFacts } from '../tests/services/inspectServer';
import { startPostgres } from '../tests/services/postgres';
import { openTestServer, SERVER_VARIABLE } from '../tests/services/testServer';
import type { Suite } from './suite';

/** A server with room for a suite's databases. */
export interface BenchServer extends ServerFacts {
  newDatabase(): Promise<string>;
  /** Drops the databases, and ends the server unless it was there before. */
  close(): Promise<void>;
}

/** The server that the tests would use, or for a suite with settings one of its own. */
export async function openBenchServer({ serverSettings }: Suite): Promise<BenchServer> {
  const isNamed = Boolean(process.env[SERVER_VARIABLE]);
  const server =
    serverSettings && !isNamed
      ? await startPostgres({ durable: false, settings: serverSettings })
      : await openTestServer();
  try {
    const facts = await inspectServer(server.url);
    const databases = await prepareDatabases(server.url);
    return {
      ...facts,
      newDatabase: async () => (await createDatabase(databases)).url,
      close: async () => {
        await dropDatabases(databases);
        await server.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}
