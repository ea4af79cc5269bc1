import { type SQL, sql } from 'drizzle-orm';
import { getTableConfig, IndexedColumn, PgDialect, type PgTable } from 'drizzle-orm/pg-core';

const dialect = new PgDialect();

/** An index as `schema.ts` declares it. */
export interface DeclaredIndex {
  name: string;
  /** `CREATE INDEX`, under the given name or its own. */
  create(options?: { name?: string; concurrently?: boolean }): SQL;
}

/**
 * The indexes that a table is declared with: drizzle-kit makes migrations of the same declarations.
 * What is built at run time is built from here.
 */
export function declaredIndexes(table: PgTable): DeclaredIndex[] {
  return getTableConfig(table).indexes.map(({ config }) => {
    const ownName = config.name ?? '';
    const columns = config.columns.map(column => sql.raw(columnText(column)));
    const storage = Object.entries(config.with ?? {}).map(([key, value]) =>
      sql.raw(`${key} = ${value}`),
    );
    return {
      name: ownName,
      create: ({ name = ownName, concurrently = false } = {}) =>
        sql.join(
          [
            sql.raw(`create ${config.unique ? 'unique ' : ''}index`),
            ...(concurrently ? [sql.raw('concurrently')] : []),
            sql`${sql.identifier(name)} on ${table} using ${sql.raw(config.method ?? 'btree')}`,
            sql`(${sql.join(columns, sql`, `)})`,
            ...(storage.length > 0 ? [sql`with (${sql.join(storage, sql`, `)})`] : []),
          ],
          sql` `,
        ),
    };
  });
}

function columnText(column: object): string {
  if (column instanceof IndexedColumn) {
    const { opClass } = column.indexConfig as { opClass?: string };
    return `"${column.name}"${opClass ? ` ${opClass}` : ''}`;
  }
  return dialect.sqlToQuery(column as SQL).sql;
}
