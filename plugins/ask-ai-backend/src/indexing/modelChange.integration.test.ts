import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { FakeCollector } from '../testing/FakeCollector';
import { TestOllamaServer } from '../testing/ollamaServer';
import type { TestRuntime } from '../testing/testRuntime';
import { openRuntime, runToItsEnd } from '../testing/testRuntime';

const DOCUMENTS = 60;
const SECTIONS = 3;
const CHUNKS = DOCUMENTS * SECTIONS;

const entityOf = (document: number) => `component:default/service-${document}`;
const textOf = (document: number, section: number) =>
  `Part ${section} of service ${document} is about word${document * 31 + section}.`;

describe('another embedding model', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let server: TestOllamaServer;
  let collector: FakeCollector;
  let runtimes: TestRuntime[];

  beforeEach(async () => {
    database = await createTestDatabase();
    server = await TestOllamaServer.start();
    server.models.set('small', { dimensions: 384 });
    server.models.set('large', { dimensions: 768 });
    server.models.set('other-small', { dimensions: 384, salt: 'other' });
    server.models.set('huge', { dimensions: 3_072 });
    collector = new FakeCollector('techdocs');
    for (let document = 0; document < DOCUMENTS; document++) {
      const sections = Array.from({ length: SECTIONS }, (_, section) => textOf(document, section));
      collector.documents.set(entityOf(document), sections);
    }
    runtimes = [];
  });

  afterEach(async () => {
    await Promise.all(runtimes.map(runtime => runtime.close()));
    await server.close();
    await database.drop();
  });

  async function open(
    embeddingModel: string,
    onModelChange: 'refuse' | 'reembed' = 'reembed',
  ): Promise<TestRuntime> {
    const runtime = await openRuntime({
      databaseUrl: database.url,
      embeddingUrl: server.url,
      collectors: [collector],
      askAi: { embeddingModel, embedding: { onModelChange, batchSize: 8, maxParallelCalls: 2 } },
    });
    runtimes.push(runtime);
    return runtime;
  }

  async function close(runtime: TestRuntime): Promise<void> {
    runtimes.splice(runtimes.indexOf(runtime), 1);
    await runtime.close();
  }

  /** The text of a chunk as it was embedded finds that chunk, and no other, when nothing is mixed. */
  async function assertFinds(runtime: TestRuntime, number: number): Promise<void> {
    const [document, section] = [Math.floor(number / SECTIONS), number % SECTIONS];
    const text = textOf(document, section);
    const [hit] = await runtime.search({
      query: `${entityOf(document)} › Section ${section}\n${text}`,
      topK: 1,
      mode: 'vector',
    });
    expect(hit?.documentChunk.content).toBe(text);
    expect(hit?.similarity).toBeGreaterThan(0.999);
  }

  /** Searches by all of them until the work is done, and some times after. */
  async function readWhile<T>(readers: TestRuntime[], work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    let reads = 0;
    const read = async (runtime: TestRuntime) => {
      for (let after = 0; after < 5; after += isDone ? 1 : 0) {
        await assertFinds(runtime, (reads * 37) % CHUNKS);
        reads += 1;
        await delay(5);
      }
    };
    const [result] = await Promise.all([done, ...readers.map(read)]);
    expect(reads).toBeGreaterThan(readers.length * 5);
    return result;
  }

  const spaceOfStore = async () => {
    const [row] = await query<{ model: string; dimensions: number }>(
      database.url,
      'select model, dimensions from embedding_space',
    );
    return row;
  };

  it('takes the place of the old one while both are searched by, there and back', async () => {
    const before = await open('small');
    await runToItsEnd(before);
    let present = before;
    for (const [model, dimensions] of [
      ['large', 768],
      ['small', 384],
      ['other-small', 384],
    ] as const) {
      const next = await open(model);
      server.requests.length = 0;
      const { lastRun, vectorCount } = await readWhile([present, next], runToItsEnd(next));
      expect(lastRun).toMatchObject({
        outcome: 'completed',
        documents: { seen: DOCUMENTS, changed: 0, removed: 0, failed: 0 },
        chunks: { embedded: CHUNKS, removed: 0 },
      });
      expect(vectorCount).toBe(CHUNKS);
      expect(await spaceOfStore()).toEqual({ model, dimensions });
      // Who was there before goes on answering, by the new model, but does not take the store back.
      const { lastRun: refused } = await runToItsEnd(present);
      expect(refused).toMatchObject({
        outcome: 'failed',
        reason: expect.stringContaining('ask-ai reembed'),
      });
      expect(await spaceOfStore()).toEqual({ model, dimensions });
      await assertFinds(present, 1);
      await close(present);
      present = next;
    }
  });

  it('goes on where a run was ended', async () => {
    await runToItsEnd(await open('small'));
    const first = await open('large');
    const isLarge = (request: { body?: Record<string, unknown> }) =>
      request.body?.model === 'large';
    let answered = 0;
    server.fail(
      { kind: 'hang' },
      { times: 1_000, when: request => isLarge(request) && ++answered > 12 },
    );
    await first.requestIndex({});
    await expect.poll(() => answered, { timeout: 30_000 }).toBeGreaterThan(12);
    await assertFinds(first, 7);
    await close(first);
    expect(await spaceOfStore()).toEqual({ model: 'small', dimensions: 384 });
    server.stopFailing();
    server.requests.length = 0;

    const second = await open('large');
    const { lastRun } = await readWhile([second], runToItsEnd(second));
    expect(lastRun).toMatchObject({ outcome: 'completed', documents: { changed: 0 } });
    expect(await spaceOfStore()).toEqual({ model: 'large', dimensions: 768 });
    // Twelve calls of eight texts were answered, and at most a batch of two calls was lost.
    expect(lastRun?.chunks.embedded).toBeLessThanOrEqual(CHUNKS - 10 * 8);
  });

  it('is refused unless the configuration says otherwise, with the remedy', async () => {
    await runToItsEnd(await open('small'));
    const changed = await open('large', 'refuse');
    for (const mode of ['vector', 'hybrid'] as const) {
      await expect(changed.search({ query: 'word31', mode })).rejects.toMatchObject({
        name: 'EmbeddingSpaceMismatchError',
        statusCode: 503,
        message: expect.stringContaining('ask-ai reembed'),
      });
    }
    expect(await changed.search({ query: 'word31', mode: 'keyword' })).not.toEqual([]);
    const { lastRun, vectorCount } = await runToItsEnd(changed);
    expect(lastRun).toMatchObject({ outcome: 'failed' });
    expect(vectorCount).toBe(CHUNKS);
    const health = await changed.health();
    expect(health.checks.embeddingSpace).toMatchObject({ status: 'error' });
  });

  it('may have 3,072 dimensions, by an index of half precision', async () => {
    await runToItsEnd(await open('small'));
    const huge = await open('huge');
    const { vectorIndex } = await readWhile([huge], runToItsEnd(huge));
    expect(vectorIndex).toMatchObject({ state: 'valid', precision: 'half' });
    expect(await spaceOfStore()).toEqual({ model: 'huge', dimensions: 3_072 });
  });

  it('records a document that it can not embed, and embeds it with the next run', async () => {
    await runToItsEnd(await open('small'));
    const poisoned = entityOf(7);
    server.fail(
      { kind: 'status', status: 400, body: { error: 'poison' } },
      {
        times: 1_000,
        when: ({ body }) =>
          body?.model === 'large' && JSON.stringify(body.input).includes(`${poisoned} `),
      },
    );
    const large = await open('large');
    const { failures, vectorCount } = await runToItsEnd(large);
    expect(failures).toEqual([
      { entityId: poisoned, source: 'techdocs', reason: expect.stringContaining('poison') },
    ]);
    expect(vectorCount).toBe(CHUNKS - SECTIONS);
    server.stopFailing();
    const again = await runToItsEnd(large);
    expect(again).toMatchObject({ failures: [], vectorCount: CHUNKS });
    await assertFinds(large, 7 * SECTIONS);
  });
});
