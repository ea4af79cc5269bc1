import type { DocumentKey } from 'backstage-plugin-ask-ai-node';
import { type SQL, sql } from 'drizzle-orm';
import { type Database, selectRows } from '../connection';
import { namesBesideLive } from '../liveTable';
import { copyOwner, grantInsertToWriters } from './grants';
import { isBeside } from './isBeside';

/**
 * What is written to `embeddings` while a load is under way, by whichever process and version of the
 * plugin: triggers note the ids of rows, and `noteReplaced` notes documents and entities as a whole. At
 * the end of the load the live rows of all that was noted take the place of what was loaded. pg_repack
 * follows a table in the same way.
 */
const CHANGES = sql.identifier('embeddings_load_changes');
const CAPTURE = sql.identifier('embeddings_load_capture');

const TRIGGERS = [
  { event: 'insert', rows: 'referencing new table as changed' },
  { event: 'update', rows: 'referencing new table as changed old table as former' },
  { event: 'delete', rows: 'referencing old table as changed' },
  { event: 'truncate', rows: '' },
].map(({ event, rows }) => ({
  name: sql.identifier(`embeddings_load_${event}`),
  event: sql.raw(event),
  rows: sql.raw(rows),
}));

/**
 * Begins to note changes. To create a trigger, PostgreSQL waits until every transaction that writes to
 * the table has ended, so that none is missed. Call it in a transaction of its own: the lock goes when
 * it ends.
 */
export async function beginCapture(transaction: Database): Promise<void> {
  await endCapture(transaction);
  await transaction.execute(
    sql`create table ${CHANGES} (id text, entity_id text, source text, is_taken boolean not null default false)`,
  );
  await copyOwner(transaction, 'embeddings', 'table embeddings_load_changes');
  await grantInsertToWriters(transaction, 'embeddings', 'embeddings_load_changes');
  // SECURITY DEFINER: a role that may only write rows must be able to note them. A note of nothing
  // stands for everything: see `noteReplaced`.
  await transaction.execute(sql`
    do $$ begin
      execute format($function$
        create function embeddings_load_capture() returns trigger language plpgsql security definer
        set search_path = %I, pg_temp as $body$
          begin
            if tg_op = 'TRUNCATE' then
              insert into embeddings_load_changes default values;
            elsif tg_op = 'UPDATE' then
              insert into embeddings_load_changes (id) select id from changed union select id from former;
            else
              insert into embeddings_load_changes (id) select id from changed;
            end if;
            return null;
          end
        $body$ $function$, current_schema());
    end $$`);
  await copyOwner(transaction, 'embeddings', 'function embeddings_load_capture()');
  for (const { name, event, rows } of TRIGGERS) {
    await transaction.execute(sql`
      create trigger ${name} after ${event} on embeddings ${rows}
      for each statement execute function ${CAPTURE}()`);
  }
}

/** Removes all of it, also what a killed process left. */
export async function endCapture(transaction: Database): Promise<void> {
  if (!(await isCapturing(transaction))) {
    return;
  }
  for (const { name } of TRIGGERS) {
    await transaction.execute(sql`drop trigger if exists ${name} on embeddings`);
  }
  const beside = await namesBesideLive(transaction);
  await transaction.execute(sql`drop function if exists ${beside('embeddings_load_capture')}()`);
  await transaction.execute(sql`drop table if exists ${beside('embeddings_load_changes')}`);
}

/** Whether changes are noted: a load is under way, or a killed one was not cleaned up yet. */
export function isCapturing(db: Database): Promise<boolean> {
  return isBeside(db, 'embeddings_load_changes');
}

/**
 * Notes that the live rows of documents, of entities or of everything replace whatever a load brings.
 * Call it after the rows were written, in the same transaction: a load that begins later then waits for
 * the transaction, and one that began before is seen.
 */
export async function noteReplaced(
  transaction: Database,
  scopes: readonly Partial<DocumentKey>[],
): Promise<void> {
  if (await isCapturing(transaction)) {
    const notes = scopes.map(({ entityId = null, source = null }) => ({ entityId, source }));
    await transaction.execute(sql`
      insert into ${CHANGES} (entity_id, source)
      select "entityId", source
      from jsonb_to_recordset(${JSON.stringify(notes)}::jsonb) as note ("entityId" text, source text)`);
  }
}

/** What notes name: rows by their id, documents, entities or everything. */
interface Scope {
  isOfRows: boolean;
  /** Of the notes. */
  notes: SQL;
  /** Of the rows that the notes name. */
  rows: SQL;
}

const TAKEN = sql`from ${CHANGES} where is_taken and`;
const SCOPES: Scope[] = [
  { notes: sql`id is not null`, rows: sql`id in (select id ${TAKEN} id is not null)` },
  {
    notes: sql`entity_id is not null and source is not null`,
    rows: sql`(entity_id, source) in (select entity_id, source ${TAKEN} entity_id is not null and source is not null)`,
  },
  {
    notes: sql`entity_id is not null and source is null`,
    rows: sql`entity_id in (select entity_id ${TAKEN} entity_id is not null and source is null)`,
  },
  { notes: sql`id is null and entity_id is null`, rows: sql`true` },
].map((scope, position) => ({ ...scope, isOfRows: position === 0 }));

/** The notes that were not taken yet. */
export async function countChanges(transaction: Database): Promise<number> {
  const [row] = await selectRows<{ count: string | number }>(
    transaction,
    sql`select count(*) as count from ${CHANGES}`,
  );
  return Number(row?.count);
}

/**
 * Takes what was noted since the last call. Notes of transactions that have not ended come with a later
 * call.
 *
 * @param apply - makes the loaded rows that meet the condition equal to the live ones. `isOfRows`: the
 * condition names ids; otherwise it names entities and documents, and fits `indexed_documents`, too.
 * @returns the number of notes.
 */
export async function takeChanges(
  transaction: Database,
  apply: (condition: SQL, options: { isOfRows: boolean }) => Promise<void>,
): Promise<number> {
  await transaction.execute(sql`update ${CHANGES} set is_taken = true where not is_taken`);
  let count = 0;
  for (const { isOfRows, notes, rows } of SCOPES) {
    const [found] = await selectRows<{ count: string | number }>(
      transaction,
      sql`select count(*) as count ${TAKEN} ${notes}`,
    );
    if (Number(found?.count) > 0) {
      count += Number(found?.count);
      await apply(rows, { isOfRows });
    }
  }
  await transaction.execute(sql`delete from ${CHANGES} where is_taken`);
  return count;
}
