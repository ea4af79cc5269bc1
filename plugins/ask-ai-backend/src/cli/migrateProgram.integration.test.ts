import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { recordTerminal } from '../testing/recordTerminal';
import { createTestRoles } from '../testing/testRoles';
import { openStore } from './openStore';
import { runCommandLine } from './runCommandLine';

describe('ask-ai migrate', { timeout: 120_000 }, () => {
  let directory: string;
  let database: TestDatabase;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ask-ai-migrate-'));
    database = await createTestDatabase({ name: 'migrate' });
  });

  afterEach(async () => {
    rmSync(directory, { recursive: true });
    await database.drop();
  });

  async function run(words: string[] = [], url: string | undefined = database.url) {
    const { terminal, printed, noted } = recordTerminal();
    const exitCode = await runCommandLine(['migrate', ...words], {
      variables: url ? { ASK_AI_DATABASE_URL: url } : {},
      directory,
      terminal,
      signals: new EventEmitter(),
      openStore,
    });
    return { exitCode, printed: printed(), noted: noted() };
  }

  const configure = (vectorStore: object) =>
    writeFileSync(join(directory, 'app-config.yaml'), JSON.stringify({ askAi: { vectorStore } }));

  it('tells what is pending, applies it once, and finds nothing left', async () => {
    const before = await run(['--status', '--json']);
    expect(before.exitCode).toBe(1);
    const { pending } = JSON.parse(before.printed);
    expect(pending[0]).toBe('0000_enable_pgvector');
    expect(await query(database.url, `select to_regclass('embeddings') as found`)).toEqual([
      { found: null },
    ]);
    const applied = await run(['--json']);
    expect(applied.exitCode).toBe(0);
    expect(JSON.parse(applied.printed)).toMatchObject({
      before: [],
      applied: pending,
      pending: [],
    });
    const again = await run();
    expect(again).toMatchObject({ exitCode: 0, printed: expect.stringContaining('up to date') });
    expect((await run(['--status'])).exitCode).toBe(0);
  });

  it('gives an empty store its dimensions', async () => {
    expect((await run(['--dimensions', '768'])).exitCode).toBe(0);
    expect(
      await query(
        database.url,
        `select format_type(atttypid, atttypmod) as type from pg_attribute
         where attrelid = 'embeddings'::regclass and attname = 'vector'`,
      ),
    ).toEqual([{ type: 'vector(768)' }]);
    expect((await run(['--dimensions', '0'])).exitCode).toBe(2);
  });

  it('says which role is missing', async () => {
    const { hostname, port, username, password } = new URL(database.url);
    configure({
      postgresql: {
        host: hostname,
        port: Number(port),
        database: database.name,
        user: username,
        password: decodeURIComponent(password),
        ...(database.schema === 'public' ? {} : { schema: database.schema.slice(1, -1) }),
        reader: { user: 'ask_ai_nobody', password: '' },
      },
    });
    const result = await run([], '');
    expect(result.exitCode).toBe(1);
    expect(result.noted).toContain('has no role ask_ai_nobody');
  });

  it('fails as a role that may not make tables, with the remedy', async () => {
    const roles = await createTestRoles(database.url, 'writer');
    await query(database.url, `revoke create on schema ${database.schema} from public`);
    try {
      const result = await run([], roles.urlOf('writer'));
      expect(result.exitCode).toBe(1);
      expect(result.noted).toContain('askAi.vectorStore.postgresql.admin');
    } finally {
      await roles.drop();
    }
  });

  it('works on the embedded store, has nothing to do in memory, and tells when nobody answers', async () => {
    configure({ type: 'memory' });
    expect((await run([], '')).exitCode).toBe(2);
    expect((await run([], 'postgresql://nobody@127.0.0.1:1/nothing')).exitCode).toBe(4);
    configure({ type: 'embedded', embedded: { directory: join(directory, 'store') } });
    expect((await run([], '')).exitCode).toBe(3);
  });
});
