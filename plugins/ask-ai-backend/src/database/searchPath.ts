import type { ClientBase } from 'pg';
import { VectorStoreSchemaError } from '../errors';

interface SearchPath extends Record<string, unknown> {
  /** Of the sessions's tables; null when no schema of the path is there. */
  current: string | null;
  /** Where pgvector is; null when it is not enabled yet. */
  extension: string | null;
  isOnPath: boolean;
  /** Null when there is no such schema. */
  wanted: string | null;
}

const LOOK = `
  select current_schema() as current, e.nspname as extension,
    coalesce(e.nspname = any (current_schemas(true)), true) as "isOnPath",
    (select nspname from pg_namespace where nspname = $1) as wanted
  from (select 1) one
  left join (select nspname from pg_extension join pg_namespace n on n.oid = extnamespace
    where extname = 'vector') e on true`;

/** pgvector's types and operators are named without their schema, so it is put at the end of the path. */
const ADD = `
  select set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), quote_ident($1)), false)`;

/**
 * Makes sure that a new connection finds the tables and pgvector, wherever the extension lies. Looks
 * once, when the first connection is made, and again while the extension is not there.
 *
 * @throws VectorStoreSchemaError from the function, when the search path did not reach the server.
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
      if (path && path.wanted !== null && path.current !== path.wanted) {
        throw new VectorStoreSchemaError(
          `The tables lie in schema ${path.wanted}, but the session works in ${path.current ?? 'none'}: PgBouncer drops the search path. ` +
            `Give it to the role instead, and reconnect PgBouncer: ALTER ROLE ... SET search_path = ${path.wanted}, public;`,
        );
      }
      added = path?.isOnPath === false ? (path.extension ?? undefined) : undefined;
      isSettled = path?.extension !== null;
    }
    if (added !== undefined) {
      await client.query(ADD, [added]);
    }
  };
}
