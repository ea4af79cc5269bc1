import { query } from './connect';

/** What the tests need to know of a server. */
export interface ServerFacts {
  /** For example `17.12`. */
  postgresVersion: string;
  /** For example `0.8.0`. */
  pgvectorVersion: string;
}

interface FactsRow {
  version: string;
  version_number: number;
  role: string;
  may_create_databases: boolean;
  pgvector: string | null;
}

const FACTS_STATEMENT = `
  SELECT current_setting('server_version') AS version,
         current_setting('server_version_num')::int AS version_number,
         current_user AS role,
         (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_create_databases,
         (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS pgvector`;

/** Also where a server accepts the connection and then says nothing, in milliseconds. */
const ANSWER_TIMEOUT_MS = 7_000;

/**
 * Makes sure that the server at `url` can carry the tests.
 *
 * @throws Error within 10 s that names the server and the remedy, never the password.
 */
export async function inspectServer(url: string): Promise<ServerFacts> {
  const name = `PostgreSQL at ${serverAddress(url)}`;
  const row = await readFacts(url, name);
  if (row.version_number < 130_000) {
    throw new Error(`${name} is PostgreSQL ${row.version}: 13 or newer is needed.`);
  }
  if (!row.may_create_databases) {
    throw new Error(
      `Role "${row.role}" may not create databases on ${name}: every test has its own. ` +
        `A superuser must run once: ALTER ROLE "${row.role}" CREATEDB;`,
    );
  }
  if (!row.pgvector || !/^(0\.([89]|\d\d)|[1-9])/.test(row.pgvector)) {
    throw new Error(
      `${name} has ${row.pgvector ? `pgvector ${row.pgvector}` : 'no pgvector'}: 0.8 or newer is needed. ` +
        `Install it on that server (Debian: postgresql-${Math.floor(row.version_number / 10_000)}-pgvector), or name another server.`,
    );
  }
  return { postgresVersion: row.version.split(' ')[0] ?? '', pgvectorVersion: row.pgvector };
}

async function readFacts(url: string, name: string): Promise<FactsRow> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it does not answer')), ANSWER_TIMEOUT_MS);
  });
  try {
    const [row] = await Promise.race([
      query<FactsRow & Record<string, unknown>>(url, FACTS_STATEMENT),
      silence,
    ]);
    if (!row) {
      throw new Error('it answers without a row');
    }
    return row;
  } catch (error) {
    // Without the cause: a driver's error may hold the URL with the password.
    throw new Error(
      `No connection to ${name}: ${reasonOf(error)}. Start that server, or correct the URL.`,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Where a URL leads, without the password. */
export function serverAddress(url: string): string {
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    throw new Error('Expected a URL such as postgresql://user:password@host:5432/database.');
  }
  const { hostname, port, pathname, username } = new URL(url);
  return `${hostname}:${port || 5432} (database ${pathname.slice(1) || 'by default'}, role ${username || 'by default'})`;
}

/** A host with several addresses fails with one error for each and no text of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) {
    return [...new Set(error.errors.map(reasonOf))].join(', ');
  }
  return error instanceof Error ? error.message : String(error);
}
