import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { pollUntil } from '../../../../tests/services/poll';
import { type PostgresServer, startPostgres } from '../../../../tests/services/postgres';
import { say } from '../../../../tests/services/say';
import { openResilientStore } from '../testing/resilientStores';
import { LOAD_DIMENSIONS, StoreLoad } from '../testing/StoreLoad';
import { embeddings, queryVectors } from '../testing/serverStores';
import type { ResilientVectorStore } from './ResilientVectorStore';

/** `npm run campaign -- faults` restarts it more often. */
const RESTARTS = Number(process.env.ASK_AI_FAULT_RESTARTS ?? 5);
const RECOVERY_MS = 5_000;

describe('a store whose server is away for a while', { timeout: 240_000 }, () => {
  let server: PostgresServer;
  let store: ResilientVectorStore;

  beforeAll(async () => {
    server = await startPostgres();
    await query(server.url, 'create extension vector');
  });

  afterEach(() => store.close());

  afterAll(() => server.close());

  /** Milliseconds until a read and a write succeed. */
  const recovery = async () => {
    const startedAt = performance.now();
    const row = [...embeddings(1, { dimensions: LOAD_DIMENSIONS, first: 9_000_000 })];
    await pollUntil('A read and a write that succeed', RECOVERY_MS, async () => {
      const calls = [store.count(), store.storeBatch(row)];
      const results = await Promise.allSettled(calls);
      return results.every(({ status }) => status === 'fulfilled') || undefined;
    });
    return Math.round(performance.now() - startedAt);
  };

  it('loses nothing that it acknowledged, and is back at once after each crash of the server', async () => {
    store = await openResilientStore(server.url);
    const load = new StoreLoad(store, { writers: 3, readers: 3 });
    const recoveries: number[] = [];
    for (let restart = 0; restart < RESTARTS; restart++) {
      const before = load.acknowledged.length;
      await pollUntil('Batches between two crashes', 30_000, () =>
        load.acknowledged.length >= before + 5 ? true : undefined,
      );
      await server.stop('immediate');
      await pollUntil('A refusal by the breaker', 30_000, () =>
        store.figures.write.state !== 'closed' ? true : undefined,
      );
      await server.start();
      recoveries.push(await recovery());
    }
    await load.end();
    say(
      `${RESTARTS} crashes: ${load.acknowledged.length} batches acknowledged, ${load.failed.length} failed, ` +
        `recovered after ${recoveries.join(', ')} ms, errors ${JSON.stringify(load.errors)}`,
    );
    expect(recoveries).toHaveLength(RESTARTS);
    expect(Math.max(...recoveries)).toBeLessThan(RECOVERY_MS);
    expect(load.undocumented).toEqual([]);
    expect(await load.findLosses(server.url)).toEqual([]);
  });

  it('refuses at once while the server hangs, in flat memory, and is back when it goes on', async () => {
    const deadlineMs = 1_500;
    store = await openResilientStore(
      server.url,
      {
        connectionTimeoutMillis: 500,
        statementTimeoutMillis: 1_000,
        queryTimeoutMillis: 1_200,
        maxConnections: 5,
      },
      { attemptTimeoutMillis: 500, readDeadlineMillis: deadlineMs, breakerOpenMillis: 500 },
    );
    await store.storeBatch([...embeddings(200, { dimensions: LOAD_DIMENSIONS })]);
    const vectors = queryVectors(LOAD_DIMENSIONS);
    await store.search(vectors.next(), 10);
    const loop = monitorEventLoopDelay({ resolution: 5 });
    const taken: number[] = [];
    const names: Record<string, number> = {};
    const calls: Promise<void>[] = [];
    const ask = async () => {
      const startedAt = performance.now();
      const name = await store.search(vectors.next(), 10).then(
        () => 'answered',
        (error: Error) => error.name,
      );
      taken.push(performance.now() - startedAt);
      names[name] = (names[name] ?? 0) + 1;
    };
    server.pause();
    try {
      const memoryBefore = process.memoryUsage().heapUsed;
      loop.enable();
      const until = performance.now() + 4_000;
      while (performance.now() < until) {
        calls.push(ask(), ask(), ask(), ask());
        await delay(5);
      }
      await Promise.all(calls);
      loop.disable();
      const grownMB = (process.memoryUsage().heapUsed - memoryBefore) / 2 ** 20;
      say(
        `The server hung for 4 s: ${calls.length} searches, ${JSON.stringify(names)}, the slowest after ` +
          `${Math.round(Math.max(...taken))} ms; the event loop stood ${Math.round(loop.percentile(99) / 1e6)} ms ` +
          `(p99), ${Math.round(loop.max / 1e6)} ms at most; memory grew by ${grownMB.toFixed(1)} MB`,
      );
      expect(grownMB).toBeLessThan(50);
    } finally {
      server.resume();
    }
    const recoveredMs = await recovery();
    say(`It was back after ${recoveredMs} ms`);
    expect(names.answered).toBeUndefined();
    // Those under way when it stopped were given up, and found the breaker open at their next attempt.
    expect(store.figures.read.timedOut).toBeGreaterThan(0);
    expect(names.CircuitOpenError).toBeGreaterThan(calls.length / 2);
    expect(Math.max(...taken)).toBeLessThan(deadlineMs + 500);
    expect(store.figures.read.opened).toBeGreaterThan(0);
    // A thread that waits for a socket would stand for the four seconds.
    expect(loop.percentile(99) / 1e6).toBeLessThan(200);
  });
});
