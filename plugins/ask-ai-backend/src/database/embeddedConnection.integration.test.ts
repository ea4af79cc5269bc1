import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PgVectorStore } from '../services/PgVectorStore';
import { type RunningProgram, runFile } from '../testing/childProcess';
import { openEmbeddedConnection } from './embeddedConnection';

const HOLDER = resolve(__dirname, '../testing/holdEmbeddedStore.ts');
const logger = { debug: () => {}, info: () => {}, warn: () => {} };

describe('openEmbeddedConnection', { timeout: 60_000 }, () => {
  let directory: string;
  let holder: RunningProgram | undefined;

  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'ask-ai-embedded-')), 'store');
  });

  afterEach(async () => {
    await holder?.kill();
    holder = undefined;
    await rm(resolve(directory, '..'), { recursive: true, force: true });
  });

  it('refuses a second process with the id of the one that holds the folder', async () => {
    holder = runFile(HOLDER, [directory]);
    await holder.nextLine();

    await expect(openEmbeddedConnection(directory)).rejects.toMatchObject({
      name: 'VectorStoreUnavailableError',
      message: expect.stringContaining(`process ${holder.pid}`),
    });
    const third = await runFile(HOLDER, [directory]).ended();
    expect(third.code).toBe(1);
    expect(third.stderr).toContain(`process ${holder.pid}`);
  });

  it('takes over from a killed process and keeps what it had stored', async () => {
    holder = runFile(HOLDER, [directory]);
    await holder.nextLine();
    await holder.kill();

    const store = await PgVectorStore.create({
      connection: await openEmbeddedConnection(directory),
      logger,
    });
    expect(store.dimensions).toBe(3);
    expect(await store.count()).toBe(1);
    expect((await store.search([1, 2, 3], 1))[0]?.similarity).toBeCloseTo(1);
    await store.close();
  });

  it('lets exactly one of several processes take over', async () => {
    holder = runFile(HOLDER, [directory]);
    await holder.nextLine();
    await holder.kill();
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, () => openEmbeddedConnection(directory)),
    );
    const opened = attempts.flatMap(attempt =>
      attempt.status === 'fulfilled' ? [attempt.value] : [],
    );
    expect(opened).toHaveLength(1);
    await opened[0]?.close();
  });

  it('frees the folder when it is closed', async () => {
    const first = await openEmbeddedConnection(directory);
    await first.close();
    const second = await openEmbeddedConnection(directory);
    await second.close();
    await second.close();
    expect(second.description).toBe(directory);
  });
});
