import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mockServices, startTestBackend } from '@backstage/backend-test-utils';
import type { Entity } from '@backstage/catalog-model';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import type { IndexStatus } from 'backstage-plugin-ask-ai-common';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { pollUntil } from '../../../../tests/services/poll';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import askAiPlugin from '..';
import { openStore as openFilledStore } from '../testing/loadFixtures';
import { fillSource, isEqual, moveKilled } from '../testing/moveCampaign';
import { recordTerminal } from '../testing/recordTerminal';
import { openStore } from './openStore';
import { runCommandLine } from './runCommandLine';

/** On a machine that is busy with other things. */
const DEADLINE_MS = 5 * 60_000;

const DIMENSIONS = 16;
const ROWS = 1_500;

describe('moving what is stored', { timeout: DEADLINE_MS }, () => {
  let directory: string;
  let source: TestDatabase;
  let target: TestDatabase;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ask-ai-move-'));
    source = await createTestDatabase({ name: 'source' });
    target = await createTestDatabase({ name: 'target', extension: true });
  });

  afterEach(async () => {
    await source.drop();
    await target.drop();
    rmSync(directory, { recursive: true });
  });

  async function run(words: string[], { isTTY = false, signals = new EventEmitter() } = {}) {
    const { terminal, printed, noted } = recordTerminal({ isTTY });
    const exitCode = await runCommandLine(words, {
      variables: { ASK_AI_DATABASE_URL: source.url },
      directory,
      terminal,
      signals,
      openStore,
    });
    return { exitCode, printed: printed(), noted: noted() };
  }

  const equal = () => isEqual({ from: source.url, to: target.url, workDirectory: directory });

  it('is killed three times, goes on, and brings all of it over', async () => {
    await fillSource(source.url, 15_000, 384);
    const workDirectory = join(directory, 'work');
    const move = { from: source.url, to: target.url, workDirectory };
    const { killedWhile } = await moveKilled(move);
    expect(killedWhile).toEqual(['reading', 'writing', 'building the index']);
    expect(await isEqual(move)).toBe(true);
    expect(readdirSync(workDirectory)).toEqual([]);
  });

  it('exports into a file, imports it elsewhere and verifies', async () => {
    await fillSource(source.url, ROWS, DIMENSIONS);
    const exported = await run(['export', 'backup.ndjson.gz']);
    expect(exported.exitCode).toBe(0);
    // Where lines stay there is one at the beginning, and the next ten seconds later.
    expect(exported.noted).toMatch(/^exporting \d+ %, [\d,]+ rows/);
    expect(exported.printed).toContain('Exported 1,500 embeddings and 300 documents into ');
    expect(readFileSync(join(directory, 'backup.ndjson.gz')).readUInt16BE(0)).toBe(0x1f8b);
    expect(await run(['export', 'backup.ndjson.gz'])).toMatchObject({ exitCode: 2 });

    const planned = await run(['import', 'backup.ndjson.gz', '--to', target.url, '--dry-run']);
    expect(planned.printed).toMatch(
      /^Would import 1,500 embeddings of ollama\/all-minilm \(16 dimensions\) and 300 documents into postgresql:/,
    );
    expect(planned.printed).not.toContain(new URL(target.url).password || '\0');
    expect(await query(target.url, `select from pg_class where relname = 'embeddings'`)).toEqual(
      [],
    );

    const imported = await run(['import', 'backup.ndjson.gz', '--to', target.url, '--verify']);
    expect(imported).toMatchObject({ exitCode: 0 });
    expect(imported.printed).toContain('Verified: the store is equal to the source.');
    expect(await equal()).toBe(true);

    const again = await run(['import', 'backup.ndjson.gz', '--to', target.url]);
    expect(again).toMatchObject({ exitCode: 1 });
    expect(again.noted).toContain('--replace');
    await query(target.url, `update embeddings set content = 'x' where id = 'chunk-7'`);
    expect(await equal()).toBe(false);
    const replaced = await run(['import', source.url, '--to', target.url, '--replace', '--json']);
    expect(JSON.parse(replaced.printed)).toMatchObject({
      counts: { embeddings: ROWS },
      replaced: ROWS,
    });
    expect(await equal()).toBe(true);
  });

  it('goes to a folder and back', async () => {
    await fillSource(source.url, ROWS, DIMENSIONS);
    const there = await run(['move', '--from', source.url, '--to', 'embedded:store', '--verify']);
    expect(there).toMatchObject({ exitCode: 0 });
    const back = await run(['move', '--from', 'embedded:store', '--to', target.url, '--verify']);
    expect(back.printed).toContain('Verified');
    expect(await equal()).toBe(true);
    expect(readdirSync(join(directory, '.data/move'))).toEqual([]);
  });

  it('shows a line with the rate on a terminal, and lines elsewhere', async () => {
    await fillSource(source.url, ROWS, DIMENSIONS);
    const { noted } = await run(['import', source.url, '--to', target.url], { isTTY: true });
    expect(noted).toMatch(/█+ 100 % {2}writing, 1,500 rows/);
    expect(noted).toContain('building the vector index');
    const plain = await run(['import', source.url, '--to', target.url, '--replace', '--dry-run']);
    expect(plain.noted).toBe('');
  });

  it('fills a store that can not be loaded row by row, with the records', async () => {
    await fillSource(source.url, ROWS, DIMENSIONS);
    const store = await openFilledStore(target.url, { dimensions: DIMENSIONS });
    await store.close();
    await query(target.url, 'create view report as select id from embeddings');
    const imported = await run(['import', source.url, '--to', target.url, '--verify']);
    expect(imported.noted).toMatch(/one by one.*view report/);
    expect(imported.exitCode).toBe(0);
    expect(await equal()).toBe(true);
  });

  it('keeps what is there when it is stopped or the spaces differ', async () => {
    await fillSource(source.url, ROWS, DIMENSIONS);
    await fillSource(target.url, 100, DIMENSIONS);
    await query(target.url, `update embedding_space set model = 'other'`);
    const refused = await run(['import', source.url, '--to', target.url, '--replace']);
    expect(refused).toMatchObject({ exitCode: 1, printed: '' });
    expect(refused.noted).toContain('the store holds vectors of ollama/other');
    await query(target.url, `update embedding_space set model = 'all-minilm'`);
    const signals = new EventEmitter();
    const going = run(['import', source.url, '--to', target.url, '--replace'], { signals });
    await pollUntil('the load', DEADLINE_MS, async () =>
      (await query(target.url, `select to_regclass('embeddings_load_changes') as found`))[0]?.found
        ? true
        : undefined,
    );
    signals.emit('SIGINT');
    const stopped = await going;
    expect(stopped.exitCode).toBe(130);
    const [{ count }] = (await query(
      target.url,
      'select count(*)::int as count from embeddings',
    )) as [{ count: number }];
    expect(count).toBe(100);
  });

  it.each([
    [['export', 'x.ndjson', '--from', 'embedded:nowhere'], 3, 'no embedded store'],
    [['import', 'nowhere.ndjson', '--to', 'embedded:store'], 1, 'nowhere.ndjson'],
    [['import', 'http://127.0.0.1:1', '--to', 'embedded:store'], 4, 'No backend answers'],
    [['import', 'x', '--to', 'http://127.0.0.1:1'], 2, 'Expected --to to be a store'],
    [['import', 'x', '--space', 'nonsense'], 2, 'provider/model'],
  ])('refuses %j', async (words, exitCode, message) => {
    const refused = await run(words);
    expect(refused).toMatchObject({ exitCode, printed: '' });
    expect(refused.noted).toContain(message);
    expect(readdirSync(directory)).toEqual([]);
  });

  describe('of a running backend', () => {
    const entities = ['payments', 'shipping'].map(
      (name): Entity => ({
        apiVersion: 'backstage.io/v1alpha1',
        kind: 'Component',
        metadata: { name, namespace: 'default', description: `All about ${name} and more.` },
        spec: { type: 'service', lifecycle: 'production', owner: 'group:default/till' },
      }),
    );

    /** Starts one on a database and resolves when its first run has ended. */
    async function startBackend(database: TestDatabase) {
      const data = {
        backend: { baseUrl: 'http://localhost:0' },
        askAi: {
          index: { settleSeconds: 0 },
          vectorStore: {
            type: 'postgresql',
            postgresql: { connectionString: database.url },
          },
        },
      };
      const backend = await startTestBackend({
        features: [
          askAiPlugin,
          catalogServiceMock.factory({ entities }),
          mockServices.rootConfig.factory({ data }),
        ],
      });
      const status = await pollUntil('a run', DEADLINE_MS, async () => {
        const { body } = await request(backend.server).get('/api/ask-ai/index/status');
        return (body as IndexStatus).lastRun ? (body as IndexStatus) : undefined;
      });
      const { port } = backend.server.address() as AddressInfo;
      return { url: `http://127.0.0.1:${port}`, status, stop: () => backend.stop() };
    }

    it('reads its export, and the next run embeds nothing again', async () => {
      const first = await startBackend(source);
      const words = ['import', first.url, '--to', target.url];
      const refused = await run([...words, '--space', 'ollama/all-minilm']);
      expect([refused.exitCode, refused.noted]).toEqual([
        1,
        expect.stringContaining('ollama/all-minilm was given'),
      ]);
      expect(await run([...words, '--verify'])).toMatchObject({ exitCode: 0 });
      const space = 'select provider, model, dimensions, chunker_version from embedding_space';
      expect(await query(target.url, space)).toEqual(await query(source.url, space));
      const exported = await run(['export', 'backend.ndjson', '--from', first.url]);
      expect(exported.exitCode).toBe(0);
      await first.stop();
      const second = await startBackend(target);
      expect(second.status.vectorCount).toBe(first.status.vectorCount);
      expect(second.status.lastRun?.chunks.embedded).toBe(0);
      await second.stop();
    });

    it('moves its store, with records that the next run finds unchanged', async () => {
      const first = await startBackend(source);
      await first.stop();
      const moved = await run(['move', '--from', 'configured', '--to', target.url, '--verify']);
      expect(moved.exitCode).toBe(0);
      const second = await startBackend(target);
      expect(second.status.lastRun).toMatchObject({
        outcome: 'completed',
        documents: { seen: 2, changed: 0 },
        chunks: { embedded: 0 },
      });
      await second.stop();
    });
  });
});
