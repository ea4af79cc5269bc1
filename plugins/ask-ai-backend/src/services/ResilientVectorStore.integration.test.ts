import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { pollUntil } from '../../../../tests/services/poll';
import { say } from '../../../../tests/services/say';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { countSessions, openResilientStore } from '../testing/resilientStores';
import { LOAD_DIMENSIONS, StoreLoad } from '../testing/StoreLoad';
import { embeddings, queryVectors } from '../testing/serverStores';
import { terminateBackends } from '../testing/terminateBackends';
import type { ResilientVectorStore } from './ResilientVectorStore';

/** `npm run campaign -- faults` ends more of them. */
const TERMINATIONS = Number(process.env.ASK_AI_FAULT_TERMINATIONS ?? 200);
const MAX_CONNECTIONS = 8;

describe('a store whose server fails for moments', { timeout: 240_000 }, () => {
  let database: TestDatabase;
  let store: ResilientVectorStore;

  beforeEach(async () => {
    database = await createTestDatabase();
  });

  afterEach(async () => {
    await store.close();
    await database.drop();
  });

  it('keeps every acknowledged batch while sessions are terminated in the middle of statements', async () => {
    store = await openResilientStore(database.url, { maxConnections: MAX_CONNECTIONS });
    const load = new StoreLoad(store, { writers: 4, readers: 4 });
    const active = await terminateBackends(database.url, TERMINATIONS);
    await load.end();
    const { read, write } = store.figures;
    say(
      `${TERMINATIONS} sessions terminated, ${active} of them at work: ${load.acknowledged.length} batches ` +
        `acknowledged, ${load.failed.length} failed, ${load.reads} reads answered, ` +
        `${read.retries + write.retries} attempts repeated, errors ${JSON.stringify(load.errors)}`,
    );
    expect(active).toBeGreaterThanOrEqual(TERMINATIONS / 2);
    expect(load.undocumented).toEqual([]);
    expect(load.acknowledged.length).toBeGreaterThan(0);
    expect(await load.findLosses(database.url)).toEqual([]);
    // Every connection of the pool can be had, so that none leaked; and the pool has no more than those.
    await Promise.all(
      Array.from({ length: 10 * MAX_CONNECTIONS }, () =>
        store.search(queryVectors(LOAD_DIMENSIONS).next(), 10),
      ),
    );
    expect(await countSessions(database.url)).toBeLessThanOrEqual(MAX_CONNECTIONS);
    await store.close();
    await pollUntil('The end of all sessions', 10_000, async () =>
      (await countSessions(database.url)) === 0 ? true : undefined,
    );
  });

  it('answers or refuses 500 searches at once on five connections within their deadline', async () => {
    store = await openResilientStore(database.url, { maxConnections: 5 });
    await store.storeBatch([...embeddings(2_000, { dimensions: LOAD_DIMENSIONS })]);
    const vectors = queryVectors(LOAD_DIMENSIONS);
    const startedAt = performance.now();
    const outcomes = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const outcome = await store.search(vectors.next(), 10).then(
          hits => (hits.length === 10 ? 'answered' : 'incomplete'),
          (error: { statusCode?: number }) => error.statusCode,
        );
        return { outcome, afterMs: performance.now() - startedAt };
      }),
    );
    expect(outcomes).toHaveLength(500);
    const refusals = outcomes.filter(({ outcome }) => outcome !== 'answered');
    expect(refusals.filter(({ outcome }) => outcome !== 503 && outcome !== 504)).toEqual([]);
    expect(outcomes.length - refusals.length).toBeGreaterThan(0);
    expect(Math.max(...outcomes.map(({ afterMs }) => afterMs))).toBeLessThan(11_000);
  });

  it('does not open its breaker for errors of callers, nor for another embedding space', async () => {
    store = await openResilientStore(database.url);
    const space = {
      provider: 'test',
      model: 'first',
      dimensions: LOAD_DIMENSIONS,
      chunkerVersion: 1,
    };
    await store.useEmbeddingSpace(space);
    await store.storeBatch([...embeddings(10, { dimensions: LOAD_DIMENSIONS })]);
    const vector = queryVectors(LOAD_DIMENSIONS).next();
    const other = { ...space, model: 'second' };
    for (let call = 0; call < 20; call++) {
      await expect(store.search([1, 2], 10)).rejects.toThrow('expected 24 dimensions, got 2');
      await expect(
        store.searchRanked({ mode: 'vector', text: '', vector, space: other, topK: 1 }),
      ).rejects.toMatchObject({ name: 'EmbeddingSpaceMismatchError' });
      await expect(
        store.storeBatch([
          { ...[...embeddings(1, { dimensions: LOAD_DIMENSIONS })][0], id: '' } as never,
        ]),
      ).rejects.toMatchObject({ name: 'InvalidVectorError' });
    }
    expect(store.figures.read).toMatchObject({ state: 'closed', opened: 0, retries: 0 });
    expect(store.figures.write).toMatchObject({ state: 'closed', opened: 0, retries: 0 });
    expect(await store.search(vector, 3)).toHaveLength(3);
  });

  it('refuses writes while searches go on, when only writes fail', async () => {
    store = await openResilientStore(
      database.url,
      { statementTimeoutMillis: 200, queryTimeoutMillis: 400 },
      { breakerFailures: 2, breakerOpenMillis: 60_000 },
    );
    const batch = [...embeddings(10, { dimensions: LOAD_DIMENSIONS })];
    await store.storeBatch(batch);
    await query(
      database.url,
      `create function wait() returns trigger language plpgsql as 'begin perform pg_sleep(5); return new; end'`,
      'create trigger waits before insert or update on embeddings for each row execute function wait()',
    );
    const changed = batch.map(row => ({
      ...row,
      vector: Array.from(row.vector, value => value / 2 + 0.1),
    }));
    for (let call = 0; call < 2; call++) {
      await expect(store.storeBatch(changed)).rejects.toMatchObject({
        name: 'VectorStoreUnavailableError',
      });
    }
    const refusal = store.storeBatch(changed);
    await expect(refusal).rejects.toMatchObject({ name: 'CircuitOpenError', statusCode: 503 });
    await expect(refusal).rejects.toThrow(/failed 2 times in a row and is asked again in \d+ ms/);
    expect(await store.search(batch[0]?.vector ?? [], 3)).toHaveLength(3);
    expect(store.figures).toMatchObject({ read: { state: 'closed' }, write: { state: 'open' } });
  });
});
