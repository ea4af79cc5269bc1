import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { openEmbeddedConnection } from '../database/embeddedConnection';
import { PgVectorStore } from '../services/PgVectorStore';
import { runFile } from '../testing/childProcess';
import { openStore as openFilledStore, row, silent } from '../testing/loadFixtures';
import { recordTerminal } from '../testing/recordTerminal';
import { openStore } from './openStore';
import { runCommandLine } from './runCommandLine';

const SCRIPT = resolve(__dirname, '../../../../scripts/rollback.ts');

describe('ask-ai rollback', { timeout: 300_000 }, () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ask-ai-rollback-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  async function run(words: string[], variables: Record<string, string> = {}) {
    const { terminal, printed, noted } = recordTerminal();
    const exitCode = await runCommandLine(['rollback', ...words], {
      variables,
      directory,
      terminal,
      signals: new EventEmitter(),
      openStore,
    });
    return { exitCode, printed: printed(), noted: noted() };
  }

  describe('on a server', () => {
    let database: TestDatabase;

    beforeEach(async () => {
      database = await createTestDatabase({ name: 'rollback' });
      const store = await openFilledStore(database.url, { dimensions: 8 });
      await store.store(row('a'));
      await store.close();
    });

    afterEach(() => database.drop());

    const onServer = (...words: string[]) => run(words, { ASK_AI_DATABASE_URL: database.url });

    it('undoes the newest, then is refused, then is forced, then finds nothing', async () => {
      const [{ count }] = (await query<{ count: number }>(
        database.url,
        'select count(*)::int as count from ask_ai_migrations',
      )) as [{ count: number }];
      expect(await onServer()).toMatchObject({ exitCode: 0, noted: '' });
      const refused = await onServer(String(count - 1));
      expect(refused).toMatchObject({ exitCode: 1, printed: '' });
      expect(refused.noted).toContain('1 row of embeddings would be lost');
      const told = await onServer(String(count - 1), '--dry-run', '--json');
      expect(JSON.parse(told.printed)).toMatchObject({
        lost: ['1 row of embeddings'],
        remaining: 0,
      });
      const forced = await onServer(String(count - 1), '--force');
      expect(forced.exitCode).toBe(0);
      expect(forced.printed).toMatch(
        /^Rolled back .*0000_enable_pgvector. 0 migrations stay applied/,
      );
      expect(forced.printed).toContain('Lost: 1 row of embeddings.');
      expect(await onServer()).toMatchObject({ exitCode: 3, printed: '' });
    });

    it('tells of sessions that backends have', async () => {
      const backend = await openFilledStore(database.url);
      expect((await onServer()).noted).toMatch(/connected to this database: \d+ session/);
      await backend.close();
    });

    it('is npm run db:rollback on the database of db:migrate', async () => {
      await query(database.url, 'create schema "ask ai"');
      const url = new URL(database.url);
      url.searchParams.set('options', '-c search_path="ask\\ ai",public');
      await (await openFilledStore(url.href)).close();
      const script = runFile(SCRIPT, ['--force'], {
        DATABASE_URL: database.url,
        DATABASE_SCHEMA: 'ask ai',
        ASK_AI_DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
      });
      expect(await script.nextLine()).toMatch(/^Rolled back/);
      expect((await script.ended()).code).toBe(0);
      const [counts] = await query(
        database.url,
        `select (select count(*)::int from "ask ai".ask_ai_migrations) as there,
           (select count(*)::int from ask_ai_migrations) as here`,
      );
      expect(counts?.there).toBe((counts?.here as number) - 1);
    });
  });

  it('undoes all of the embedded store', async () => {
    const folder = join(directory, 'store');
    const vectorStore = { type: 'embedded', embedded: { directory: folder } };
    writeFileSync(join(directory, 'app-config.yaml'), JSON.stringify({ askAi: { vectorStore } }));
    expect((await run([])).exitCode).toBe(3);
    const connection = await openEmbeddedConnection(folder);
    const store = await PgVectorStore.create({ connection, logger: silent, dimensions: 8 });
    await store.store(row('a'));
    await store.close();
    const { undone } = JSON.parse((await run(['--dry-run', '--json'])).printed);
    expect(undone).toHaveLength(1);
    const count = String(Number(undone[0].slice(0, 4)) + 1);
    expect((await run([count])).exitCode).toBe(1);
    expect((await run([count, '--force'])).exitCode).toBe(0);
    const again = await PgVectorStore.create({
      connection: await openEmbeddedConnection(folder),
      logger: silent,
    });
    expect(await again.count()).toBe(0);
    await again.close();
  });

  it('has nothing to undo in memory', async () => {
    const vectorStore = { type: 'memory' };
    writeFileSync(join(directory, 'app-config.yaml'), JSON.stringify({ askAi: { vectorStore } }));
    expect(await run([])).toMatchObject({
      exitCode: 2,
      noted: expect.stringContaining('kept in memory'),
    });
  });
});
