import { sql } from 'drizzle-orm';
import { VectorStoreSchemaError } from '../../errors';
import { type Database, type DatabaseConnection, selectRows } from '../connection';
import { withMigrationLock } from '../migrator';
import { RIGHTS } from './rights';

interface MissingRight extends Record<string, unknown> {
  role: string;
  table: string;
  rights: string[];
  /** Whether the session's role may grant it. */
  may: boolean;
}

/**
 * Gives writer and reader, where the connection tells them apart, what they lack of their rights on the
 * tables.
 *
 * @returns who was given a right, sorted.
 * @throws VectorStoreSchemaError when a role does not exist, or lacks a right that only the owner of the
 * tables can give it.
 */
export async function grantRights(connection: DatabaseConnection): Promise<string[]> {
  if (!connection.roles || (await missingRights(connection.admin.db, connection)).length === 0) {
    return [];
  }
  return withMigrationLock(connection, async transaction => {
    const missing = await missingRights(transaction, connection);
    const refused = missing.find(({ may }) => !may);
    if (refused) {
      const { role, table, rights } = refused;
      throw new VectorStoreSchemaError(
        `Role ${role} lacks ${rights.join(', ')} on ${table}, and only the owner of the table can grant it: ` +
          'give the credential of the owner as askAi.vectorStore.postgresql.admin, or run "ask-ai migrate" with it.',
      );
    }
    for (const { role, table, rights } of missing) {
      await transaction.execute(
        sql`grant ${sql.raw(rights.join(', '))} on ${sql.identifier(table)} to ${sql.identifier(role)}`,
      );
    }
    return [...new Set(missing.map(({ role }) => role))].sort();
  });
}

async function missingRights(
  db: Database,
  { roles = {} }: Pick<DatabaseConnection, 'roles'>,
): Promise<MissingRight[]> {
  const wanted = RIGHTS.flatMap(({ table, writer, reader }) => [
    ...(roles.writer === undefined ? [] : [{ role: roles.writer, table, rights: writer }]),
    ...(roles.reader === undefined ? [] : [{ role: roles.reader, table, rights: reader }]),
  ]);
  await assertRolesExist(db, [...new Set(wanted.map(({ role }) => role))]);
  return selectRows<MissingRight>(
    db,
    sql`
      select wanted.role, wanted."table", array_agg(name order by name) as rights,
        bool_and(pg_has_role(relowner, 'USAGE')) as may
      from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb)
          as wanted (role text, "table" text, rights text[]),
        pg_class c, unnest(wanted.rights) as name
      where c.relnamespace = quote_ident(current_schema())::regnamespace and c.relname = wanted."table"
        and not has_table_privilege(wanted.role, c.oid, name)
      group by wanted.role, wanted."table"
      order by wanted.role, wanted."table"`,
  );
}

async function assertRolesExist(db: Database, roles: string[]): Promise<void> {
  const [row] = await selectRows<{ missing: string[] | null }>(
    db,
    sql`
      select array_agg(name) as missing from unnest(${sql.param(roles)}::text[]) as name
      where not exists (select from pg_roles where rolname = name)`,
  );
  if (row?.missing) {
    throw new VectorStoreSchemaError(
      `The database has no role ${row.missing.join(', ')}: make it, or run scripts/init-db.sh, which makes all of them.`,
    );
  }
}
