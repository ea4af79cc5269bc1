import type { ClientBase } from 'pg';
import { VectorStoreSchemaError } from '../errors';
import { processIdOf } from './serverProcess';

interface SearchPath extends Record<string, unknown> {
  role: string;
  /** Who logged in, whose settings hold. */
  login: string;
  /** As it is set, such as `"$user", public`. */
  path: string;
  /** Of the sessions's tables; null when no schema of the path is there. */
  current: string | null;
  /** Where pgvector is; null when it is not enabled yet. */
  extension: string | null;
  isOnPath: boolean;
  /** Null when there is no such schema. */
  wanted: string | null;
  /** Null when there is no such schema. */
  mayUseWanted: boolean | null;
  mayUseExtension: boolean | null;
  /** The process of the server. */
  pid: number;
}

const LOOK = `
  select current_user as role, session_user as login, current_setting('search_path') as path, current_schema() as current,
    pg_backend_pid() as pid, e.nspname as extension,
    coalesce(e.nspname = any (current_schemas(true)), true) as "isOnPath",
    has_schema_privilege(e.oid, 'USAGE') as "mayUseExtension",
    wanted.nspname as wanted, has_schema_privilege(wanted.oid, 'USAGE') as "mayUseWanted"
  from (select 1) one
  left join (select n.nspname, n.oid from pg_extension join pg_namespace n on n.oid = extnamespace
    where extname = 'vector') e on true
  left join pg_namespace wanted on wanted.nspname = $1`;

/** pgvector's types and operators are named without their schema, so it is put at the end of the path. */
const ADD = `
  select set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), quote_ident($1)), false)
  where not $1 = any (current_schemas(true))`;

/**
 * Makes sure that a new connection finds the tables and pgvector, wherever the extension lies. Looks
 * once, when the first connection is made, and again while the extension is not there.
 *
 * @throws VectorStoreSchemaError from the function: the schema is not there or may not be used, the search
 * path did not reach the server, or it would have to be changed in a session that is shared with others.
 */
export function settleSearchPath(
  schema: string | undefined,
): (client: ClientBase) => Promise<void> {
  let isSettled = false;
  let added: string | undefined;
  return async client => {
    if (!isSettled) {
      const { rows } = await client.query<SearchPath>(LOOK, [schema ?? null]);
      const [path] = rows;
      if (path) {
        assertSchema(path, schema);
        added = path.isOnPath ? undefined : (path.extension ?? undefined);
        assertExtension(path, client);
      }
      isSettled = path?.extension !== null;
    }
    if (added !== undefined) {
      await client.query(ADD, [added]);
    }
  };
}

function assertSchema(path: SearchPath, schema: string | undefined): void {
  if (schema === undefined) {
    return;
  }
  const { role, current, wanted, mayUseWanted } = path;
  if (wanted === null) {
    throw new VectorStoreSchemaError(
      `Schema ${schema}, which the configuration names, is not there: run CREATE SCHEMA ${quoted(schema)} AUTHORIZATION ${quoted(role)}; as somebody who may.`,
    );
  }
  if (!mayUseWanted) {
    throw mayNotUse(role, wanted);
  }
  if (current !== wanted) {
    throw new VectorStoreSchemaError(
      `The tables lie in schema ${wanted}, but the session works in ${current ?? 'none'}: PgBouncer drops the search path. ` +
        `Give it to the role instead, and reconnect PgBouncer: ALTER ROLE ... SET search_path = ${quoted(wanted)}, public;`,
    );
  }
}

function assertExtension(path: SearchPath, client: ClientBase): void {
  const { role, login, extension, isOnPath, mayUseExtension } = path;
  if (extension === null || isOnPath) {
    return;
  }
  if (!mayUseExtension) {
    throw mayNotUse(role, extension);
  }
  // A pooler tells its clients of processes of its own. It may give the next transaction another session,
  // and this one, with the path that was set in it, to somebody else.
  if (processIdOf(client) !== path.pid) {
    throw new VectorStoreSchemaError(
      `pgvector lies in schema ${extension}, which is not on the search path, and PgBouncer shares its sessions. ` +
        `Give the path to the role, and reconnect PgBouncer: ALTER ROLE ${quoted(login)} SET search_path = ${[path.path, quoted(extension)].filter(Boolean).join(', ')};`,
    );
  }
}

function mayNotUse(role: string, schema: string): VectorStoreSchemaError {
  return new VectorStoreSchemaError(
    `Role ${role} may not use schema ${schema}: run GRANT USAGE ON SCHEMA ${quoted(schema)} TO ${quoted(role)}; as its owner.`,
  );
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
