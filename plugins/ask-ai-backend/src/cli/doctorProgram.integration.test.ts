import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HealthCheck } from 'backstage-plugin-ask-ai-common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { freePort } from '../../../../tests/services/ports';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { recordTerminal } from '../testing/recordTerminal';
import { openStore } from './openStore';
import { runCommandLine } from './runCommandLine';

describe('ask-ai doctor', { timeout: 60_000 }, () => {
  let directory: string;
  let database: TestDatabase;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ask-ai-doctor-'));
    database = await createTestDatabase({ name: 'doctor' });
  });

  afterEach(async () => {
    rmSync(directory, { recursive: true });
    await database.drop();
  });

  async function run(words: string[], askAi: object = {}) {
    const vectorStore = { type: 'postgresql', postgresql: { connectionString: database.url } };
    writeFileSync(
      join(directory, 'app-config.yaml'),
      JSON.stringify({ askAi: { vectorStore, ...askAi } }),
    );
    const { terminal, printed, noted } = recordTerminal();
    const exitCode = await runCommandLine(words, {
      variables: {},
      directory,
      terminal,
      signals: new EventEmitter(),
      openStore,
    });
    return { exitCode, printed: printed(), noted: noted() };
  }

  it('finds a migrated database well, and changes nothing in one that is not', async () => {
    const before = await run(['doctor', '--json']);
    expect(before.exitCode).toBe(1);
    expect(JSON.parse(before.printed).checks).toMatchObject({
      configuration: { status: 'ok' },
      database: { status: 'ok' },
      migrations: { status: 'warning', message: expect.stringContaining('ask-ai migrate') },
      vectorIndex: { status: 'error' },
    });
    const tables = `select to_regclass('embeddings') as found`;
    expect(await query(database.url, tables)).toEqual([{ found: null }]);
    await run(['migrate']);
    const after = await run(['doctor', '--json']);
    const { status, checks } = JSON.parse(after.printed);
    expect([after.exitCode, status]).toEqual([0, 'ok']);
    for (const name of ['database', 'migrations', 'roles', 'vectorIndex', 'embeddingModel']) {
      expect([name, checks[name].status]).toEqual([name, 'ok']);
    }
    await query(database.url, 'drop index embeddings_vector_idx');
    const unindexed = await run(['doctor']);
    expect(unindexed).toMatchObject({ exitCode: 0, noted: '' });
    expect(unindexed.printed).toMatch(/warning +vectorIndex .*\n +There is no valid vector index/);
  });

  it('says what to do about each part that is away', async () => {
    const ollamaBaseUrl = `http://127.0.0.1:${await freePort()}`;
    const connectionString = `postgresql://x:hunter2@127.0.0.1:${await freePort()}/y`;
    const askAi = {
      embeddingModel: 'all-minilm',
      ollamaBaseUrl,
      vectorStore: { type: 'postgresql', postgresql: { connectionString } },
    };
    const { exitCode, printed, noted } = await run(['doctor'], askAi);
    expect(exitCode).toBe(1);
    expect(printed).toMatch(/error +database .*\n.*ECONNREFUSED\). Check that the server runs/);
    expect(printed).toMatch(/error +embeddingModel .*\n.*ollama serve/s);
    expect(printed + noted).not.toContain('hunter2');
  });

  it.each([
    [
      'an edited migration',
      `update ask_ai_migrations set hash = 'edited' where id = 2`,
      'migrations',
      /was edited .* Restore the file/,
    ],
    [
      'a missing extension',
      'drop extension vector cascade',
      'extension',
      /run CREATE EXTENSION vector/,
    ],
    [
      'vectors of another model',
      `insert into embedding_space (provider, model, dimensions, chunker_version) values ('ollama', 'all-minilm', 384, 1)`,
      'embeddingSpace',
      /all-minilm.*reembed/s,
    ],
  ])('names the remedy for %s, and nothing else', async (_, damage, check, remedy) => {
    await run(['migrate']);
    await query(database.url, damage);
    const { exitCode, printed } = await run(['doctor', '--json']);
    expect(exitCode).toBe(1);
    const checks: Record<string, HealthCheck> = JSON.parse(printed).checks;
    const failed = Object.keys(checks).filter(name => checks[name]?.status === 'error');
    expect(failed).toEqual([check]);
    expect(checks[check]?.message).toMatch(remedy);
  });

  it('tells of a change of the model that was interrupted, and how it ends', async () => {
    await run(['migrate']);
    const space = { provider: 'ollama', model: 'all-minilm', dimensions: 384, chunkerVersion: 1 };
    await query(
      database.url,
      'create table embeddings_next (like embeddings)',
      `comment on table embeddings_next is '${JSON.stringify(space)}'`,
    );
    const { checks } = JSON.parse((await run(['doctor', '--json'])).printed);
    expect(checks.embeddingSpace).toMatchObject({
      status: 'warning',
      message: expect.stringMatching(/change to ollama\/all-minilm.*reembed --discard/),
    });
    expect((await run(['reembed', '--discard'])).exitCode).toBe(0);
    expect((await run(['doctor'])).printed).toMatch(/ok +embeddingSpace/);
  });

  it('tells what is wrong with the configuration, and looks at the rest', async () => {
    const { exitCode, printed } = await run(['doctor', '--json'], { defaultTopK: 0 });
    expect(exitCode).toBe(1);
    expect(JSON.parse(printed).checks).toMatchObject({
      configuration: { status: 'error', message: expect.stringContaining('defaultTopK') },
      database: { status: 'ok' },
    });
  });
});
