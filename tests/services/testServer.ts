import { findContainerEngine, startContainer } from './container';
import { findDebian, whyNotDebian } from './debian';
import { inspectServer, serverAddress } from './inspectServer';
import { findInstalledPostgres } from './installedPostgres';
import { startPostgres } from './postgres';
import { reapStaleResources } from './records';
import { say } from './say';

/** Names a server for the tests, with a role that has CREATEDB. */
export const SERVER_VARIABLE = 'ASK_AI_TEST_DATABASE_URL';

/** A PostgreSQL server with pgvector for tests, evaluation and benchmarks. */
export interface TestServer {
  /** Logs in with a role that may create databases. */
  url: string;
  /** For people: versions and where it came from. */
  description: string;
  /** Ends it, unless it was there before. */
  close(): Promise<void>;
}

type OpenServer = Pick<TestServer, 'url' | 'close'> & { origin: string };

/**
 * Finds or starts a server: the one that ASK_AI_TEST_DATABASE_URL names; else in a container; else
 * from PostgreSQL on this machine, or from Debian's packages. Says which.
 *
 * @throws Error that says what to do, when none of that works.
 */
export async function openTestServer(): Promise<TestServer> {
  reapStaleResources();
  const url = process.env[SERVER_VARIABLE];
  return url ? useNamedServer(url) : describe((await fromContainer()) ?? (await fromPrograms()));
}

async function useNamedServer(url: string): Promise<TestServer> {
  try {
    const origin = `at ${serverAddress(url)}, named by ${SERVER_VARIABLE}`;
    return await describe({ url, origin, close: async () => undefined });
  } catch (error) {
    throw new Error(
      `${SERVER_VARIABLE}: ${(error as Error).message} ` +
        `Or unset ${SERVER_VARIABLE}, and the tests find or start a server by themselves.`,
    );
  }
}

/** Makes sure that a server can carry the tests, and says which it is. */
async function describe(server: OpenServer): Promise<TestServer> {
  try {
    const { postgresVersion, pgvectorVersion } = await inspectServer(server.url);
    const description = `PostgreSQL ${postgresVersion} with pgvector ${pgvectorVersion}, ${server.origin}`;
    say(`Test server: ${description}`);
    return { url: server.url, description, close: server.close };
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function fromContainer(): Promise<OpenServer | undefined> {
  const engine = await findContainerEngine();
  if (!engine) {
    return undefined;
  }
  try {
    return { ...(await startContainer(engine)), origin: `in a container of ${engine}` };
  } catch (error) {
    say(`No test server in a container of ${engine}: ${(error as Error).message.trim()}`);
    return undefined;
  }
}

async function fromPrograms(): Promise<OpenServer> {
  const reason = whyNotDebian();
  if (reason && !findInstalledPostgres() && !findDebian()) {
    throw new Error(noServerMessage(reason));
  }
  // The tests make thousands of small commits, and this data is thrown away.
  const server = await startPostgres({ durable: false });
  return {
    url: server.url,
    origin: `${server.origin}, on port ${server.port}`,
    close: server.close,
  };
}

function noServerMessage(whyNotDebianHere: string): string {
  return [
    'The tests need a PostgreSQL server with pgvector, and none was found. Three ways to go on:',
    `1. Set ${SERVER_VARIABLE} to a server with pgvector 0.8 or newer and a role that has CREATEDB:`,
    `   ${SERVER_VARIABLE}=postgresql://user:password@host:5432/postgres npm test`,
    '2. Start Docker or Podman: the tests run a container of their own (none answers now).',
    `3. Install PostgreSQL 13 or newer with pgvector on this machine, or run as root on Debian or Ubuntu, where the tests install their own in a cache folder (${whyNotDebianHere}).`,
    'Without a server, the unit tests run with: npm test -- --project unit',
  ].join('\n');
}
