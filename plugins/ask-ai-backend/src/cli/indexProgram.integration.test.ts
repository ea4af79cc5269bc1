import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { PgVectorStore } from '../services/PgVectorStore';
import { recordTerminal } from '../testing/recordTerminal';
import { openStore } from './openStore';
import { runCommandLine } from './runCommandLine';

const logger = { debug: () => {}, info: () => {}, warn: () => {} };

const ROWS = 300;

function embedding(_: unknown, index: number): EmbeddingVector {
  const id = `c${index}`;
  return {
    id,
    chunkId: id,
    vector: [Math.cos(index), Math.sin(index), Math.cos(3 * index)],
    documentChunk: {
      id,
      entityId: 'component:default/x',
      entityName: 'x',
      content: `Chunk ${index}`,
      metadata: { source: 'catalog', chunkIndex: index, totalChunks: ROWS },
    },
  };
}

describe('commands on the vector index of a server', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
  });

  afterEach(() => database.drop());

  async function run(words: string[], onOpen = (_signals: EventEmitter) => {}) {
    const { terminal, printed, noted } = recordTerminal();
    const signals = new EventEmitter();
    const exitCode = await runCommandLine(words, {
      variables: { ASK_AI_DATABASE_URL: database.url },
      directory: tmpdir(),
      terminal,
      signals,
      openStore: async (...given) => {
        const store = await openStore(...given);
        onOpen(signals);
        return store;
      },
    });
    return { exitCode, printed: printed(), noted: noted() };
  }

  async function fill(): Promise<void> {
    const store = await PgVectorStore.create({
      postgresql: { connectionString: database.url },
      logger,
      dimensions: 3,
    });
    await store.storeBatch(Array.from({ length: ROWS }, embedding));
    await store.close();
  }

  it('measures, explains and rebuilds', async () => {
    await fill();
    const recall = await run(['recall', '--json', '--sample', '20']);
    expect(recall).toMatchObject({ exitCode: 0, noted: '' });
    expect(JSON.parse(recall.printed)).toMatchObject({ rows: ROWS, m: 16, reachesTarget: true });
    const explained = await run(['explain']);
    expect(explained.exitCode).toBe(0);
    expect(explained.printed).toContain('nearest in one entity: ');
    const rebuilt = await run(['reindex', '--m', '8', '--json']);
    expect(rebuilt.exitCode).toBe(0);
    expect(JSON.parse(rebuilt.printed)).toMatchObject({ m: 8, efConstruction: 64 });
  });

  it('keeps the old index when it is stopped', async () => {
    await fill();
    const stopped = await run(['reindex', '--m', '8'], signals => signals.emit('SIGINT'));
    expect(stopped.exitCode).toBe(130);
    expect(stopped.noted).toContain('Stopped: the old index goes on serving.');
    expect(JSON.parse((await run(['recall', '--json'])).printed)).toMatchObject({ m: 16 });
  });

  it('embeds what is stored by the configured model, once', async () => {
    await fill();
    const { exitCode, printed } = await run(['reembed', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(printed)).toMatchObject({
      space: { provider: 'lexical', dimensions: 384 },
      embedded: ROWS,
      removed: [],
    });
    const again = await run(['reembed', '--json']);
    expect(JSON.parse(again.printed)).toMatchObject({ embedded: 0 });
    expect((await run(['reembed', '--discard'])).printed).toContain('Nothing was left');
    expect((await run(['recall'])).exitCode).toBe(0);
  });

  it('goes on after a stopped reembed, or removes what it left', async () => {
    await fill();
    const stop = (signals: EventEmitter) => setImmediate(() => signals.emit('SIGINT'));
    const stopped = await run(['reembed'], stop);
    expect(stopped.exitCode).toBe(130);
    expect(stopped.noted).toContain('the old model goes on answering');
    expect((await run(['reembed'])).exitCode).toBe(0);
    expect(JSON.parse((await run(['recall', '--json'])).printed)).toMatchObject({
      dimensions: 384,
    });
  });

  it('ends with 3 on an empty store', async () => {
    const store = await PgVectorStore.create({
      postgresql: { connectionString: database.url },
      logger,
    });
    await store.close();
    expect(await run(['recall'])).toMatchObject({ exitCode: 3, printed: '' });
    expect(await run(['explain'])).toMatchObject({ exitCode: 3, printed: '' });
  });

  it('does not migrate', async () => {
    for (const _ of [1, 2]) {
      const { exitCode, noted } = await run(['recall']);
      expect(exitCode).toBe(1);
      expect(noted).toContain('Run the migrations');
    }
  });
});
