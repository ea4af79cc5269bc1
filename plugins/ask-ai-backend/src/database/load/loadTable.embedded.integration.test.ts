import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFile } from '../../testing/childProcess';
import {
  contentsIn,
  contentsOf,
  DIMENSIONS,
  EMBEDDED_ROWS,
  openStore,
  row,
  rows,
} from '../../testing/loadFixtures';
import { selectRows } from '../connection';
import { openEmbeddedConnection } from '../embeddedConnection';

const HOLDER = resolve(__dirname, '../../testing/holdEmbeddedLoad.ts');

/** Enough for a machine with much else to do. */
const TIMEOUT_MS = 120_000;

const OLD = rows(50, 'old');

/** By the name that the holder knows, and what serves after it. */
const MOMENTS = {
  'when rows were copied': { at: 'stream', serves: OLD },
  'when indexes are built': { at: 'indexed 1', serves: OLD },
  'after it': { at: 'loaded', serves: rows(EMBEDDED_ROWS, 'new') },
};

describe('a load of the embedded store whose process is killed', { timeout: TIMEOUT_MS }, () => {
  let parent: string;
  const filled = () => join(parent, 'filled');

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'ask-ai-load-'));
    const connection = await openEmbeddedConnection(filled());
    const store = await openStore('', { connection, dimensions: DIMENSIONS });
    await store.storeBatch(OLD);
    await store.close();
  }, TIMEOUT_MS);

  afterAll(() => rm(parent, { recursive: true, force: true }));

  it.each(Object.entries(MOMENTS))(
    'leaves the old rows or all of the new ones, and the next load works (%s)',
    async (_, { at, serves }) => {
      const folder = join(parent, at.replace(' ', '-'));
      await cp(filled(), folder, { recursive: true });
      const holder = runFile(HOLDER, [folder, at]);
      try {
        expect(await holder.nextLine()).toBe('there');
      } finally {
        await holder.kill();
      }
      const connection = await openEmbeddedConnection(folder);
      const store = await openStore('', { connection });
      try {
        expect(await contentsOf(store)).toEqual(contentsIn(serves));
        expect(await store.search(row('x-0').vector, 5)).toHaveLength(5);
        await store.store(row('written'));
        const next = rows(50, 'next');
        // It waits for what the start does.
        await store.replaceAll(next);
        expect(await contentsOf(store)).toEqual(contentsIn(next));
        const leftovers = await selectRows(
          connection.db,
          sql`select relname as name from pg_class where relname ~ '_load'
            union all select tgname from pg_trigger where not tgisinternal
            union all select proname from pg_proc where proname ~ '^embeddings_load'`,
        );
        expect(leftovers).toEqual([]);
      } finally {
        await store.close();
      }
    },
  );
});
