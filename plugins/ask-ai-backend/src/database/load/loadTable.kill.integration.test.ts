import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { query } from '../../../../../tests/services/connect';
import { pollUntil } from '../../../../../tests/services/poll';
import { createTestDatabase } from '../../../../../tests/services/testDatabase';
import { runFile } from '../../testing/childProcess';
import {
  contentsIn,
  contentsOf,
  DIMENSIONS,
  findLeftovers,
  LOADED_ROWS,
  type LoadMoment,
  openStore,
  row,
  rows,
} from '../../testing/loadFixtures';

const HOLDER = resolve(__dirname, '../../testing/holdLoad.ts');

/** Enough for a machine with much else to do, in milliseconds. */
const DEADLINE_MS = 60_000;

/** Processes at a time. */
const LANES = 3;

/** A moment at which a load is killed. */
interface Kill extends LoadMoment {
  name: string;
  /** Others can write then; they wait while the triggers are made and while the tables are exchanged. */
  isOpen?: boolean;
  /** What was loaded serves already. */
  isLoaded?: boolean;
  /** Nothing is there yet, or any more, that would have to be removed. */
  leavesNothing?: boolean;
}

const EXCHANGED = 'drop table "embeddings"';

const MOMENTS: Kill[] = (
  [
    {
      name: 'before changes are noted',
      statement: 'create table "embeddings_load_changes"',
      at: 'before',
      isOpen: true,
      leavesNothing: true,
    },
    {
      name: 'when the triggers are made, not committed',
      statement: 'create trigger "embeddings_load_truncate"',
      at: 'after',
      leavesNothing: true,
    },
    {
      name: 'when changes are noted and nothing else is there',
      statement: 'create table "embeddings_load" ',
      at: 'before',
      isOpen: true,
    },
    {
      name: 'while the first rows are copied',
      statement: 'copy "embeddings_load"',
      at: 'during',
      isOpen: true,
    },
    { name: 'while the stream has nothing to give', isOpen: true },
    {
      name: 'while the index of words is built',
      statement: 'create index "embeddings_load_content_tsv_idx"',
      at: 'during',
      isOpen: true,
    },
    {
      name: 'while the vector index is built',
      statement: 'create index "embeddings_load_vector_idx"',
      at: 'during',
      isOpen: true,
    },
    {
      name: 'when all indexes are built',
      statement: 'analyze "embeddings_load"',
      at: 'before',
      isOpen: true,
    },
    {
      name: 'while it catches up',
      since: 'analyze "embeddings_load"',
      statement: 'update "embeddings_load_changes"',
      at: 'after',
      isOpen: true,
    },
    {
      name: 'just before the table is locked',
      statement: 'lock table',
      at: 'before',
      isOpen: true,
    },
    { name: 'when the table is locked', statement: 'lock table', at: 'after' },
    { name: 'when the old table is dropped', statement: EXCHANGED, at: 'after' },
    {
      name: 'just before the exchange is committed',
      since: EXCHANGED,
      statement: 'commit',
      at: 'before',
    },
    {
      name: 'just after the exchange was committed',
      since: EXCHANGED,
      statement: 'commit',
      at: 'after',
      isOpen: true,
      isLoaded: true,
      leavesNothing: true,
    },
  ] satisfies Omit<Kill, 'load'>[]
).map(moment => ({ ...moment, load: 'replaceAll' }));

const OLD = rows(200, 'old');
const NEW = rows(LOADED_ROWS, 'new');

describe('a load whose process is killed', () => {
  it(
    `leaves the old rows or all of the new ones serving, and the next load works (replaceAll, killed at ${MOMENTS.length} moments)`,
    () => inLanes(MOMENTS, kill => dieAt(kill, OLD)),
    4 * DEADLINE_MS,
  );

  it(
    'leaves an empty store empty, or all of the rows in it (storeAll, killed at 3 moments)',
    () =>
      inLanes(
        MOMENTS.filter(
          ({ statement, isLoaded }) => isLoaded || /copy|vector/.test(statement ?? ''),
        ),
        kill => dieAt({ ...kill, load: 'storeAll' }, []),
      ),
    2 * DEADLINE_MS,
  );
});

/** A few at a time; the first failure ends all. */
async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
        await work(item);
      }
    }),
  );
}

async function dieAt(kill: Kill, old: typeof OLD): Promise<void> {
  const database = await createTestDatabase({ name: 'kill' });
  const replica = await openStore(database.url, { dimensions: DIMENSIONS });
  try {
    await replica.storeBatch(old);
    const holder = runFile(HOLDER, [database.url, JSON.stringify(kill)]);
    const meanwhile = kill.isOpen ? [row('meanwhile')] : [];
    try {
      expect(await holder.nextLine(), kill.name).toBe('there');
      await replica.storeBatch(meanwhile);
    } finally {
      await holder.kill();
    }
    const leftovers = await findLeftovers(database.url);
    expect(leftovers.includes('trigger embeddings_load_insert'), kill.name).toBe(
      !kill.leavesNothing,
    );
    const expected = contentsIn(kill.isLoaded ? NEW : old, meanwhile);
    expect(await contentsOf(replica), kill.name).toEqual(expected);
    await assertServes(replica, expected, kill.name);

    const restarted = await openStore(database.url);
    try {
      await restarted.store(row('after'));
      await pollUntil(
        `${kill.name}: everything is removed that the load made`,
        DEADLINE_MS,
        async () => ((await findLeftovers(database.url)).length === 0 ? true : undefined),
      );
      await assertServes(restarted, new Map([...expected, ['after', 'after']]), kill.name);
      const next = rows(300, 'next');
      expect(await restarted.replaceAll(next), kill.name).toEqual({ received: next.length });
      expect(await contentsOf(restarted), kill.name).toEqual(contentsIn(next));
      expect(await findLeftovers(database.url), kill.name).toEqual([]);
      expect(await indexes(database.url), kill.name).toContain('embeddings_vector_idx');
    } finally {
      await restarted.close();
    }
  } finally {
    await replica.close();
    await database.drop();
  }
}

async function assertServes(
  store: Awaited<ReturnType<typeof openStore>>,
  expected: Map<string, string>,
  name: string,
): Promise<void> {
  expect(await store.count(), name).toBe(expected.size);
  const [first] = [...expected.keys()];
  if (first !== undefined) {
    const hits = await store.search(row(first).vector, 5);
    expect(hits, name).toHaveLength(Math.min(5, expected.size));
    expect(
      hits.every(({ documentChunk }) => expected.has(documentChunk.id)),
      name,
    ).toBe(true);
  }
}

async function indexes(url: string): Promise<string[]> {
  const found = await query<{ name: string }>(
    url,
    `select relname as name from pg_index join pg_class on pg_class.oid = indexrelid
     where indrelid = 'embeddings'::regclass and indisvalid`,
  );
  return found.map(({ name }) => name);
}
