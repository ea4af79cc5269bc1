import type { EmbeddingVector, LoadProgress } from 'backstage-plugin-ask-ai-node';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../../tests/services/connect';
import { pollUntil } from '../../../../../tests/services/poll';
import { createTestDatabase, type TestDatabase } from '../../../../../tests/services/testDatabase';
import type { PgVectorStore } from '../../services/PgVectorStore';
import {
  contentsIn,
  contentsOf,
  DIMENSIONS,
  findLeftovers,
  openStore,
  row,
  rows,
} from '../../testing/loadFixtures';

/** Enough for a machine with much else to do, in milliseconds. */
const DEADLINE_MS = 60_000;

const OLD = rows(100, 'old');
const NEW = rows(3_000, 'new');

/** Building its index takes seconds. */
const LARGE = { rows: 20_000, dimensions: 64, index: { m: 64, efConstruction: 200 } };

describe('a load that is held up or interrupted', { timeout: 2 * DEADLINE_MS }, () => {
  let database: TestDatabase;
  let store: PgVectorStore;

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'interruption' });
    store = await openStore(database.url, { dimensions: DIMENSIONS });
    await store.storeBatch(OLD);
  });

  afterEach(async () => {
    await store.close();
    await database.drop();
  });

  /** Holds the table as a long report or a backup does, until it is called again. */
  async function readForLong(): Promise<() => Promise<void>> {
    const reader = new Client({ connectionString: database.url });
    await reader.connect();
    await reader.query('begin');
    await reader.query('select count(*) from embeddings');
    return () => reader.end();
  }

  /** The session that loads: the one with the lock of all who rebuild the table. */
  async function loadingPid(): Promise<number | undefined> {
    const [found] = await query<{ pid: number }>(
      database.url,
      `select pid from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock' and granted
         and database = (select oid from pg_database where datname = current_database())`,
    );
    return found?.pid;
  }

  async function isWaitingForTable(): Promise<boolean> {
    const [found] = await query(
      database.url,
      `select from pg_locks where relation = 'embeddings'::regclass and mode = 'AccessExclusiveLock' and not granted`,
    );
    return found !== undefined;
  }

  async function validIndexes(): Promise<string[]> {
    const found = await query<{ name: string }>(
      database.url,
      `select relname as name from pg_index join pg_class on pg_class.oid = indexrelid
         where indrelid = 'embeddings'::regclass and indisvalid`,
    );
    return found.map(({ name }) => name);
  }

  async function assertAsBefore(...written: EmbeddingVector[]): Promise<void> {
    expect(await contentsOf(store)).toEqual(contentsIn(OLD, written));
    const hits = await store.search(row('old-0').vector, 1);
    expect(hits[0]?.documentChunk.content).toBe('old');
    expect(await findLeftovers(database.url)).toEqual([]);
  }

  it('waits for a transaction that reads the table for long, and lets others read and write meanwhile', async () => {
    const endReading = await readForLong();
    const loading = store.replaceAll(NEW);
    let isLoaded = false;
    loading.finally(() => {
      isLoaded = true;
    });
    const written: EmbeddingVector[] = [];
    let longestMs = 0;
    for (let attempt = 1; attempt <= 3; attempt++) {
      // It stands in the way of all others now, ...
      await pollUntil('the load asks for the table', DEADLINE_MS, async () =>
        (await isWaitingForTable()) ? true : undefined,
      );
      const startedAt = performance.now();
      const other = row(`written-${attempt}`);
      await store.store(other);
      expect(await store.count()).toBeGreaterThan(OLD.length);
      written.push(other);
      longestMs = Math.max(longestMs, performance.now() - startedAt);
      // ... and steps back.
      await pollUntil('the load steps back', DEADLINE_MS, async () =>
        (await isWaitingForTable()) ? undefined : true,
      );
    }
    expect(isLoaded).toBe(false);
    // One wait of a second for each of two calls, on a machine with much else to do.
    expect(longestMs).toBeLessThan(8_000);
    await endReading();
    expect(await loading).toEqual({ received: NEW.length });
    expect(await contentsOf(store)).toEqual(contentsIn(NEW, written));
    expect(await findLeftovers(database.url)).toEqual([]);
  });

  it('is cleaned up by the store when somebody still reads the table as it is aborted', async () => {
    const endReading = await readForLong();
    const controller = new AbortController();
    const loading = store.replaceAll(NEW, { signal: controller.signal });
    await pollUntil('the load asks for the table', DEADLINE_MS, async () =>
      (await isWaitingForTable()) ? true : undefined,
    );
    // Any value may be the reason.
    controller.abort('enough');
    await expect(loading).rejects.toBe('enough');
    await store.store(row('written'));
    expect(await store.count()).toBe(OLD.length + 1);
    await endReading();
    await pollUntil('everything is removed that the load made', DEADLINE_MS, async () =>
      (await findLeftovers(database.url)).length === 0 ? true : undefined,
    );
    await assertAsBefore(row('written'));
  });

  async function endLoadingSession(): Promise<void> {
    const pid = await pollUntil('a session loads', DEADLINE_MS, loadingPid);
    await query(database.url, `select pg_terminate_backend(${pid})`);
  }

  it('rejects when the server ends its session while it waits for the stream, and works again', async () => {
    async function* stream() {
      // A batch is copied while the next one is awaited.
      yield* NEW.slice(0, 2_100);
      await endLoadingSession();
      yield* NEW.slice(2_100);
    }
    await expect(store.replaceAll(stream())).rejects.toMatchObject({
      name: 'VectorStoreUnavailableError',
    });
    await assertAsBefore();
    await store.replaceAll(NEW);
    expect(await contentsOf(store)).toEqual(contentsIn(NEW));
  });

  it('rejects when the server ends its session in the middle of a statement, and works again', async () => {
    const endReading = await readForLong();
    const outcome = expect(store.replaceAll(NEW)).rejects.toMatchObject({
      name: 'VectorStoreUnavailableError',
    });
    await pollUntil('the load asks for the table', DEADLINE_MS, async () =>
      (await isWaitingForTable()) ? true : undefined,
    );
    await endLoadingSession();
    await outcome;
    await endReading();
    await pollUntil('everything is removed that the load made', DEADLINE_MS, async () =>
      (await findLeftovers(database.url)).length === 0 ? true : undefined,
    );
    await assertAsBefore();
    await store.replaceAll(NEW);
    expect(await contentsOf(store)).toEqual(contentsIn(NEW));
  });

  it('leaves nothing when the store is closed in the middle of it', async () => {
    const other = await openStore(database.url);
    let closing: Promise<void> | undefined;
    async function* stream() {
      yield* NEW.slice(0, 2_100);
      closing = other.close();
      await new Promise<never>(() => {});
    }
    await expect(other.replaceAll(stream())).rejects.toMatchObject({
      name: 'VectorStoreUnavailableError',
    });
    await closing;
    await assertAsBefore();
  });

  it('rejects with the reason of a signal that aborts while rows are written', async () => {
    const controller = new AbortController();
    const reason = new Error('No longer wanted');
    async function* stream() {
      yield* NEW.slice(0, 2_100);
      setImmediate(() => controller.abort(reason));
      await new Promise<never>(() => {});
    }
    const load = store.replaceAll(stream(), { signal: controller.signal });
    await expect(load).rejects.toBe(reason);
    await assertAsBefore();
  });

  it('rejects with the reason of a signal that aborts while an index is built, well before that is done', async () => {
    const controller = new AbortController();
    const reason = new Error('No longer wanted');
    await store.clear();
    await store.close();
    store = await openStore(database.url, { dimensions: LARGE.dimensions, index: LARGE.index });
    let abortedAt = 0;
    const onProgress = ({ phase, indexed = 0 }: LoadProgress) => {
      if (phase === 'indexing' && indexed > 0 && abortedAt === 0) {
        abortedAt = performance.now();
        controller.abort(reason);
      }
    };
    const load = store.storeAll(large(), { signal: controller.signal, onProgress });
    await expect(load).rejects.toBe(reason);
    expect(performance.now() - abortedAt).toBeLessThan(10_000);
    expect(await store.count()).toBe(0);
    expect(await findLeftovers(database.url)).toEqual([]);
    expect(await loadingPid()).toBeUndefined();
    expect(await validIndexes()).toContain('embeddings_vector_idx');
  });
});

function* large(): Generator<EmbeddingVector> {
  for (let index = 0; index < LARGE.rows; index++) {
    const vector = Float32Array.from({ length: LARGE.dimensions }, () => Math.random() - 0.5);
    yield { ...row(`large-${index}`), vector };
  }
}
